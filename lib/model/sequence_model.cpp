#include "model/sequence_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "base/memory.hpp"
#include "nn/elementwise.hpp"
#include "nn/position.hpp"

namespace rlt {

ModelConfig complete(ModelConfig config) {
  config.cell_config = complete(config.cell, std::move(config.cell_config));
  return config;
}

template <std::floating_point T>
SequenceModel<T>::SequenceModel(const ModelConfig& config)
    : config_(config),
      width_(config.cell_config.d_model),
      wrapping_(cell_info(config.cell).wrapping) {
  embedding_.declare(parameters_, "embedding", config.vocabulary_in, width_);
  for (Index layer = 0; layer < config.layers; ++layer) {
    blocks_.push_back(make_block<T>(wrapping_, make_cell<T>(config.cell, config.cell_config),
                                    width_, config.ff * width_));
    blocks_.back()->declare(parameters_, fmt::format("block.{}", layer));
  }
  if (wrapping_ == Wrapping::postnorm) final_norm_.declare(parameters_, "norm", width_);
  head_.declare(parameters_, "head", width_, config.vocabulary_out, Bias::uniform);
  parameters_.allocate();
}

template <std::floating_point T>
void SequenceModel<T>::carve(Extent largest, std::string_view smaller) {
  const auto take_all = [&] {
    const Index rows = largest.rows();
    streams_.clear();
    for (Index layer = 0; layer <= config_.layers; ++layer) {
      streams_.push_back(workspace_.tape.take<T>(rows, width_));
    }
    logits_ = workspace_.tape.take<T>(rows, config_.vocabulary_out);
    const ScratchScope scope(workspace_);
    dstream_ = workspace_.scratch.take<T>(rows, width_);
    dstream_next_ = workspace_.scratch.take<T>(rows, width_);
    if (wrapping_ == Wrapping::postnorm) {
      top_ = workspace_.tape.take<T>(rows, width_);
      final_norm_.carve(workspace_, rows);
    }
    for (const auto& block : blocks_) block->carve(workspace_, largest);
    head_.carve(workspace_, rows);
  };
  workspace_ = Workspace();
  take_all();
  require_memory(workspace_.bytes(),
                 fmt::format("a batch of {} sequences of {} tokens", largest.batch, largest.steps),
                 smaller);
  workspace_.allocate();
  take_all();
  sequence_scores_.resize(static_cast<std::size_t>(largest.batch));
}

template <std::floating_point T>
Index SequenceModel<T>::position_counters() const {
  return config_.cell_config.positions == Positions::sinusoidal ? 1 : 0;
}

template <std::floating_point T>
Index SequenceModel<T>::state_size(Index context) const {
  return product(config_.layers, blocks_.front()->state_size(context)) + position_counters();
}

template <std::floating_point T>
Carry<T> SequenceModel<T>::layer_carry(const Carry<T>& carry, Index layer) const {
  Carry<T> inner = carry;
  inner.dropout = carry.dropout.stream(layer);
  if (carry.state.data != nullptr) {
    const Index size = (carry.state.cols - position_counters()) / config_.layers;
    inner.state = carry.state.col_block(layer * size, size);
  }
  return inner;
}

template <std::floating_point T>
void SequenceModel<T>::initial_state(Matrix<T> state) const {
  for (Index layer = 0; layer < config_.layers; ++layer) {
    blocks_[static_cast<std::size_t>(layer)]->initial_state(
        layer_carry({.state = state}, layer).state);
  }
  if (position_counters() == 0) return;
  for (Index b = 0; b < state.rows; ++b) state.data[b * state.stride + state.cols - 1] = T(0);
}

template <std::floating_point T>
Tensor<T, 3> SequenceModel<T>::sequence(Extent extent, T* data) const {
  return tensor<T, 3>(data, {extent.batch, extent.steps, width_});
}

template <std::floating_point T>
void SequenceModel<T>::add_positions(Extent extent, const Carry<T>& carry, T* x) const {
  for (Index b = 0; b < extent.batch; ++b) {
    T* const read = carry.state.data == nullptr
                        ? nullptr
                        : carry.state.data + b * carry.state.stride + carry.state.cols - 1;
    Index position = read == nullptr ? 0 : static_cast<Index>(*read);
    for (Index t = 0; t < extent.steps; ++t, ++position) {
      if (carry.start(extent, b, t)) position = 0;
      add_sinusoidal(position, width_, x + (b * extent.steps + t) * width_);
    }
    if (read != nullptr) *read = static_cast<T>(position);
  }
}

template <std::floating_point T>
Matrix<T> SequenceModel<T>::forward(Extent extent, const int* tokens, const Carry<T>& carry) {
  dropout_ = carry.dropout.stream(config_.layers);
  embedding_.forward(tokens, {stream(0), extent.rows(), width_});
  if (position_counters() > 0) add_positions(extent, carry, stream(0));
  for (Index layer = 0; layer < config_.layers; ++layer) {
    Tensor<T, 3> y = sequence(extent, stream(layer + 1));
    blocks_[static_cast<std::size_t>(layer)]->forward(extent, sequence(extent, stream(layer)),
                                                      layer_carry(carry, layer), y);
  }
  const Matrix<T> last(stream(config_.layers), extent.rows(), width_);
  if (wrapping_ == Wrapping::postnorm) final_norm_.forward(last, {top_, extent.rows(), width_});
  if (wrapping_ == Wrapping::plain) dropout_.apply(last.data, extent.rows() * width_);
  const Matrix<T> logits(logits_, extent.rows(), config_.vocabulary_out);
  head_.forward(top(extent), logits);
  return logits;
}

// What the head reads.
template <std::floating_point T>
Matrix<const T> SequenceModel<T>::top(Extent extent) const {
  return {wrapping_ == Wrapping::postnorm ? top_ : stream(config_.layers), extent.rows(), width_};
}

template <std::floating_point T>
void SequenceModel<T>::backward(Extent extent, const int* tokens, Matrix<const T> dlogits) {
  const Matrix<T> dtop(dstream_, extent.rows(), width_);
  head_.backward(top(extent), dlogits, dtop);
  if (wrapping_ == Wrapping::postnorm) {
    final_norm_.backward({stream(config_.layers), extent.rows(), width_}, dtop, nullptr,
                         {dstream_next_, extent.rows(), width_});
    std::swap(dstream_, dstream_next_);
  } else if (wrapping_ == Wrapping::plain) {
    dropout_.apply(dstream_, extent.rows() * width_);
  }
  for (Index layer = config_.layers - 1; layer >= 0; --layer) {
    Tensor<T, 3> dx = sequence(extent, dstream_next_);
    blocks_[static_cast<std::size_t>(layer)]->backward(extent, sequence(extent, stream(layer)),
                                                       sequence(extent, dstream_), dx);
    std::swap(dstream_, dstream_next_);
  }
  embedding_.backward(tokens, {dstream_, extent.rows(), width_});
}

template <std::floating_point T>
Score SequenceModel<T>::train(const Batch& batch, const Dropout& dropout, Matrix<T> state) {
  const Extent extent = batch.extent();
  const Matrix<T> logits = forward(extent, batch.tokens(),
                                   {.state = state, .starts = batch.starts(), .dropout = dropout});
  Score score;
  for (Index r = 0; r < extent.rows(); ++r) score.tokens += batch.targets()[r] >= 0 ? 1 : 0;
  const T scale = static_cast<T>(1.0 / static_cast<double>(std::max<Index>(1, score.tokens)));
  parallel_for(extent.batch, [&](Index b, int) {
    Score& own = sequence_scores_[static_cast<std::size_t>(b)];
    own = {.sequences = 1, .sequences_correct = 1};
    for (Index t = 0; t < extent.steps; ++t) {
      const Index r = b * extent.steps + t;
      bool correct = false;
      own.loss += static_cast<double>(cross_entropy(logits.data + r * logits.stride, logits.cols,
                                                    batch.targets()[r], scale, correct));
      if (batch.targets()[r] >= 0 && correct) ++own.tokens_correct;
      if (!correct) own.sequences_correct = 0;
    }
  });
  for (Index b = 0; b < extent.batch; ++b) score += sequence_scores_[static_cast<std::size_t>(b)];
  parameters_.zero_gradients();
  backward(extent, batch.tokens(), logits);
  return score;
}

template <std::floating_point T>
std::string SequenceModel<T>::first_not_finite(Extent extent) {
  struct Stage {
    std::string name;  // and a dot: how the names of its parameters begin
    Matrix<const T> output;
  };
  const Index rows = extent.rows();
  std::vector<Stage> stages = {{"embedding", {stream(0), rows, width_}}};
  for (Index layer = 0; layer < config_.layers; ++layer) {
    stages.push_back({fmt::format("block.{}", layer), {stream(layer + 1), rows, width_}});
  }
  if (wrapping_ == Wrapping::postnorm) stages.push_back({"norm", {top_, rows, width_}});
  // The loss left its gradients in place of the logits.
  const Matrix<T> logits(logits_, rows, config_.vocabulary_out);
  head_.forward(top(extent), logits);
  stages.push_back({"head", {logits_, rows, config_.vocabulary_out}});
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
    if (!all_finite(stage.output.data, stage.output.rows * stage.output.cols)) {
      return fmt::format("the output of {} (largest parameter up to there: {}, {:.3g})", stage.name,
                         largest_name, largest);
    }
  }
  return {};
}

template class SequenceModel<float>;
template class SequenceModel<double>;

}  // namespace rlt
