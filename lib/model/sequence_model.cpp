#include "model/sequence_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/memory.hpp"
#include "nn/elementwise.hpp"

namespace rlt {

template <std::floating_point T>
SequenceModel<T>::SequenceModel(const ModelConfig& config)
    : config_(config),
      width_(config.width()),
      top_form_(block_info(config.layers.back().block).top),
      input_(config.input, width_) {
  input_.declare(parameters_);
  for (const LayerConfig& layer : config.layers) {
    layers_.push_back(make_block<T>(layer));
    layers_.back()->declare(parameters_, fmt::format("block.{}", layers_.size() - 1));
  }
  if (FeedbackStack<T>::is_needed(config.layers)) feedback_.emplace(config.layers);
  passes_.resize(layers_.size());
  if (top_form_ == Top::norm)
    top_norm_.declare(parameters_, "norm", width_, *config.layers.back().norm);
  for (const HeadConfig& head : config.heads) {
    heads_.emplace_back(head, width_).declare(parameters_);
    outputs_ += head.outputs;
  }
  parameters_.allocate();
}

template <std::floating_point T>
void SequenceModel<T>::carve(Extent largest, std::string_view smaller) {
  const auto take_all = [&] {
    const Index rows = largest.rows();
    streams_.clear();
    for (Index layer = 0; layer <= layer_count(); ++layer) {
      streams_.push_back(workspace_.tape.take<T>(rows, stream_width(layer)));
    }
    const Index asked = config_.asks_last ? largest.batch : rows;
    if (config_.asks_last) ends_ = workspace_.tape.take<T>(asked, width_);
    output_ = workspace_.tape.take<T>(asked, outputs_);
    const ScratchScope scope(workspace_);
    const Index widest = std::max(width_, stream_width(0));
    dstream_ = workspace_.scratch.take<T>(rows, widest);
    dstream_next_ = workspace_.scratch.take<T>(rows, widest);
    if (top_form_ == Top::norm) {
      top_ = workspace_.tape.take<T>(rows, width_);
      top_norm_.carve(workspace_, rows);
    }
    input_.carve(workspace_, largest);
    if (feedback_) {
      feedback_->carve(workspace_, largest, layers_, parameters_);
    } else {
      for (const auto& layer : layers_) layer->carve(workspace_, largest);
    }
    for (Head<T>& head : heads_) head.carve(workspace_, asked);
  };
  workspace_ = Workspace();
  take_all();
  require_memory(workspace_.bytes(),
                 fmt::format("a batch of {} sequences of {} tokens", largest.batch, largest.steps),
                 smaller);
  workspace_.allocate();
  take_all();
}

template <std::floating_point T>
std::vector<StateLayout> SequenceModel<T>::state_layout(Index context) const {
  std::vector<StateLayout> parts;
  for (const auto& layer : layers_) parts.push_back(layer->state_layout(context));
  parts.push_back(input_.state_layout());
  return parts;
}

template <std::floating_point T>
Index SequenceModel<T>::state_size(Index context) const {
  Index size = 0;
  for (const StateLayout& part : state_layout(context)) size += part.size();
  return size;
}

template <std::floating_point T>
State<T> SequenceModel<T>::fresh_state(Index rows, Index context) const {
  State<T> state(rows, state_layout(context));
  initialize(state);
  return state;
}

template <std::floating_point T>
void SequenceModel<T>::initialize(State<T>& state) const {
  for (Index layer = 0; layer < layer_count(); ++layer) {
    const Cell<T>& cell = *layers_[static_cast<std::size_t>(layer)];
    if (state.lanes(layer) == nullptr) {
      cell.initial_state(state.part(layer));
    } else {
      std::vector<T> fresh(static_cast<std::size_t>(cell.state_size(0)));
      cell.initial_state({fresh.data(), 1, std::ssize(fresh)});
      state.fill(layer, fresh.data());
    }
  }
  const Matrix<T> positions = state.part(layer_count());
  for (Index b = 0; b < positions.rows; ++b) std::fill_n(positions.row(b), positions.cols, T(0));
}

template <std::floating_point T>
void SequenceModel<T>::rebuild(State<T>& state) {
  workspace_.require_threads();
  for (Index layer = 0; layer < layer_count(); ++layer) {
    if (state.lanes(layer) != nullptr) continue;  // none of these hold anything of the parameters
    layers_[static_cast<std::size_t>(layer)]->rebuild(state.part(layer));
  }
}

// Of the carried state, what belongs to one layer or the input; and its own dropout masks.
template <std::floating_point T>
Pass<T> SequenceModel<T>::part_pass(const ModelPass<T>& pass, Index part) const {
  Pass<T> result{.starts = pass.starts, .dropout = pass.dropout.stream(part), .keep = pass.keep};
  if (pass.state != nullptr && *pass.state) {
    result.state = pass.state->part(part);
    result.lanes = pass.state->lanes(part);
  }
  return result;
}

template <std::floating_point T>
Index SequenceModel<T>::stream_width(Index layer) const {
  return layer == 0 ? config_.layers.front().config.input_width() : width_;
}

template <std::floating_point T>
Sequence<T> SequenceModel<T>::stream(Extent extent, Index layer) const {
  return {extent, streams_[static_cast<std::size_t>(layer)], stream_width(layer)};
}

template <std::floating_point T>
Sequence<T> SequenceModel<T>::top(Extent extent) const {
  if (top_form_ == Top::norm) return {extent, top_, width_};
  return stream(extent, layer_count());
}

// What the heads read.
template <std::floating_point T>
Matrix<T> SequenceModel<T>::read(Extent extent) const {
  if (config_.asks_last) return {ends_, extent.batch, width_};
  return top(extent).rows;
}

// body(b, row of its last position)
template <std::floating_point T>
template <typename Body>
void SequenceModel<T>::for_each_end(const Inputs& inputs, Body body) const {
  for (Index b = 0; b < inputs.extent.batch; ++b) {
    const Index length = inputs.lengths == nullptr ? inputs.extent.steps : inputs.lengths[b];
    body(b, b * inputs.extent.steps + std::max<Index>(length, 1) - 1);
  }
}

template <std::floating_point T>
void SequenceModel<T>::forward_layers(Extent extent, const ModelPass<T>& pass) {
  if (feedback_) {
    for (Index layer = 0; layer < layer_count(); ++layer) {
      passes_[static_cast<std::size_t>(layer)] = part_pass(pass, layer);
    }
    return feedback_->forward(extent, streams_, passes_);
  }
  for (Index layer = 0; layer < layer_count(); ++layer) {
    layers_[static_cast<std::size_t>(layer)]->forward(stream(extent, layer), part_pass(pass, layer),
                                                      stream(extent, layer + 1));
  }
}

// From the gradient of the last layer's output to that of the first one's input, both in dstream_.
template <std::floating_point T>
void SequenceModel<T>::backward_layers(Extent extent) {
  const Matrix<T> above(dstream_, extent.rows(), width_);
  if (feedback_) {
    feedback_->backward(streams_, above, {dstream_next_, extent.rows(), width_});
    return std::swap(dstream_, dstream_next_);
  }
  for (Index layer = layer_count() - 1; layer >= 0; --layer) {
    layers_[static_cast<std::size_t>(layer)]->backward(
        stream(extent, layer),
        Sequence<const T>(extent, Matrix<T>(dstream_, extent.rows(), width_)),
        {extent, dstream_next_, stream_width(layer)});
    std::swap(dstream_, dstream_next_);
  }
}

template <std::floating_point T>
Matrix<T> SequenceModel<T>::forward(const Inputs& inputs, const ModelPass<T>& pass) {
  const Extent extent = inputs.extent;
  workspace_.require_threads();
  input_.forward(inputs, part_pass(pass, layer_count()), stream(extent, 0).rows);
  forward_layers(extent, pass);
  const Matrix<T> last = stream(extent, layer_count()).rows;
  top_dropout_ = pass.dropout.stream(layer_count());
  if (top_form_ == Top::norm) top_norm_.forward(last, top(extent).rows);
  if (top_form_ == Top::dropout) top_dropout_.apply(last.data, extent.rows() * width_);
  const Matrix<T> read_rows = read(extent);
  if (config_.asks_last) {
    for_each_end(inputs, [&](Index b, Index row) {
      std::copy_n(top(extent).rows.row(row), width_, read_rows.row(b));
    });
  }
  const Matrix<T> outputs(output_, read_rows.rows, outputs_);
  Index first = 0;
  for (Head<T>& head : heads_) {
    head.forward(read_rows, outputs.col_block(first, head.outputs()));
    first += head.outputs();
  }
  return outputs;
}

template <std::floating_point T>
void SequenceModel<T>::backward(const Inputs& inputs, Matrix<const T> doutputs) {
  const Extent extent = inputs.extent;
  const auto rows = [&](T* data) { return Matrix<T>(data, extent.rows(), width_); };
  // outputs of every head
  const Matrix<T> read_rows = read(extent);
  Index first = 0;
  for (Head<T>& head : heads_) {
    const Matrix<const T> above = doutputs.col_block(first, head.outputs());
    head.backward(read_rows, above,
                  {first == 0 ? dstream_ : dstream_next_, read_rows.rows, width_});
    if (first > 0) add(dstream_, dstream_next_, dstream_, read_rows.rows * width_);
    first += head.outputs();
  }
  // read = top at the ends
  if (config_.asks_last) {
    std::fill_n(dstream_next_, extent.rows() * width_, T(0));
    for_each_end(inputs, [&](Index b, Index row) {
      std::copy_n(dstream_ + b * width_, width_, dstream_next_ + row * width_);
    });
    std::swap(dstream_, dstream_next_);
  }
  // top = LN(last), drop(last) or last
  if (top_form_ == Top::norm) {
    top_norm_.backward(stream(extent, layer_count()).rows, rows(dstream_), nullptr,
                       rows(dstream_next_));
    std::swap(dstream_, dstream_next_);
  } else if (top_form_ == Top::dropout) {
    top_dropout_.apply(dstream_, extent.rows() * width_);
  }
  // stream_{layer + 1} = layer(stream_layer)
  backward_layers(extent);
  // stream_0 = input
  input_.backward(inputs, {dstream_, extent.rows(), stream_width(0)});
}

template <std::floating_point T>
std::string SequenceModel<T>::first_not_finite(Extent extent) {
  struct Stage {
    std::string name;  // and a dot: how the names of its parameters begin
    Matrix<const T> output;
  };
  std::vector<Stage> stages = {{"embedding", stream(extent, 0).rows},
                               {"input", stream(extent, 0).rows}};
  for (Index layer = 0; layer < layer_count(); ++layer) {
    stages.push_back({fmt::format("block.{}", layer), stream(extent, layer + 1).rows});
  }
  if (top_form_ == Top::norm) stages.push_back({"norm", top(extent).rows});
  // The loss left its gradients in place of the outputs.
  Index first = 0;
  for (std::size_t i = 0; i < heads_.size(); ++i) {
    const Matrix<T> outputs =
        Matrix<T>(output_, read(extent).rows, outputs_).col_block(first, heads_[i].outputs());
    heads_[i].forward(read(extent), outputs);
    stages.push_back({config_.heads[i].name, outputs});
    first += heads_[i].outputs();
  }
  const auto all_finite = [](const T* values, Index count) {
    return std::all_of(values, values + count, [](T value) { return std::isfinite(value); });
  };
  std::string largest_name;
  T largest = 0;
  for (const Stage& stage : stages) {
    for (const Parameter<T>& parameter : parameters_.all()) {
      if (!parameter.name.starts_with(stage.name + ".")) continue;
      if (!all_finite(parameter.value, parameter.count())) {
        return "the parameter " + parameter.name;
      }
      for (Index i = 0; i < parameter.count(); ++i) {
        if (std::abs(parameter.value[i]) <= largest) continue;
        largest = std::abs(parameter.value[i]);
        largest_name = parameter.name;
      }
    }
    for (Index row = 0; row < stage.output.rows; ++row) {
      if (all_finite(stage.output.row(row), stage.output.cols)) continue;
      return fmt::format("the output of {} (largest parameter up to there: {}, {:.3g})", stage.name,
                         largest_name, largest);
    }
  }
  return {};
}

template class SequenceModel<float>;
template class SequenceModel<double>;

}  // namespace rlt
