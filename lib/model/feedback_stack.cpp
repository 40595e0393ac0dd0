#include "model/feedback_stack.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "base/error.hpp"
#include "base/parallel.hpp"

namespace rlt {

template <std::floating_point T>
bool FeedbackStack<T>::is_needed(const std::vector<LayerConfig>& layers) {
  return std::ranges::any_of(layers, [](const LayerConfig& layer) {
    const auto found = layer.config.options.find("feedback");
    return found != layer.config.options.end() && found->second == "on";
  });
}

template <std::floating_point T>
FeedbackStack<T>::FeedbackStack(const std::vector<LayerConfig>& layers)
    : configs_(layers),
      width_(layers.front().config.d_model),
      window_(layers.front().config.count("window")) {}

template <std::floating_point T>
void FeedbackStack<T>::carve(Workspace& workspace, Extent largest, const Layers& first,
                             const ParameterSet<T>& parameters) {
  // An unfinished block may come first.
  const auto count = static_cast<std::size_t>(divide_up(largest.steps, window_) + 1);
  const Extent block{largest.batch, std::min(window_, largest.steps)};
  if (pieces_.size() != count) pieces_ = std::vector<Piece>(count);
  own_.clear();
  dstates_.clear();
  for (std::size_t p = 0; p < count; ++p) {
    Piece& piece = pieces_[p];
    piece.layers.clear();
    for (std::size_t l = 0; l < first.size(); ++l) {
      if (p > 0 && piece.copies.size() == l) {
        piece.copies.push_back(make_block<T>(configs_[l]));
        piece.copies.back()->declare(piece.parameters, fmt::format("block.{}", l));
      }
      piece.layers.push_back(p == 0 ? first[l].get() : piece.copies[l].get());
      if (piece.layers[l]->states() != nullptr) recurrent_ = l;
    }
    piece.parameters.refer_to(parameters);
    piece.states = piece.layers[recurrent_]->states();
    piece.starts = workspace.tape.take<std::uint8_t>(block.rows());
    for (Cell<T>* const layer : piece.layers) layer->carve(workspace, block);
  }
  for (const auto& layer : first) {
    const Index size = layer->state_size(largest.steps);
    own_.push_back({workspace.tape.take<T>(largest.batch, size), largest.batch, size});
    dstates_.push_back({workspace.tape.take<T>(largest.batch, size), largest.batch, size});
  }
  x_ = workspace.tape.take<T>(block.rows(), width_);
  y_ = workspace.tape.take<T>(block.rows(), width_);
  dy_ = workspace.tape.take<T>(block.rows(), width_);
}

template <std::floating_point T>
void FeedbackStack<T>::forward(Extent extent, const std::vector<T*>& streams,
                               const std::vector<Pass<T>>& passes) {
  const bool fresh = passes.front().state.data == nullptr;
  const auto state_of = [&](std::size_t l) {
    return fresh ? own_[l].row_block(0, extent.batch) : passes[l].state;
  };
  extent_ = extent;
  for (std::size_t l = 0; fresh && l < passes.size(); ++l) {
    pieces_[0].layers[l]->initial_state(state_of(l));
  }
  cut(extent, carried(state_of(recurrent_), pieces_[0]));
  for (std::size_t p = 0; p < used_; ++p) {
    const Piece& piece = pieces_[p];
    const Extent block{extent.batch, piece.steps};
    enter(piece, passes.front(), fresh && p == 0);
    const auto pass_of = [&](std::size_t l) {
      return Pass<T>{.state = state_of(l),
                     .starts = piece.starts,
                     .dropout = passes[l].dropout.stream(static_cast<Index>(p)),
                     .keep = passes[l].keep,
                     .states = piece.states,
                     .dstate = dstates_[l].row_block(0, extent.batch)};
    };
    const Matrix<T> c = carried(state_of(recurrent_), piece);
    const bool clear = p == 0 && configs_[recurrent_].config.text("clear_state") == "on";
    piece.states->begin(block, pass_of(recurrent_), c, {BlockPlan::Start::keeps_block, clear});
    gather(piece, streams.front(), x_);
    for (std::size_t l = 0; l < passes.size(); ++l) {
      piece.layers[l]->forward(Sequence<const T>({block, x_, width_}), pass_of(l),
                               {block, y_, width_});
      scatter(piece, y_, streams[l + 1]);
      std::swap(x_, y_);
    }
    piece.states->end(c);
  }
}

template <std::floating_point T>
void FeedbackStack<T>::backward(const std::vector<T*>& streams, Matrix<const T> dy, Matrix<T> dx) {
  for (const Matrix<T>& dstate : dstates_) {
    for (Index b = 0; b < extent_.batch; ++b) std::fill_n(dstate.row(b), dstate.cols, T(0));
  }
  for (std::size_t p = used_; p-- > 0;) {
    const Piece& piece = pieces_[p];
    const Extent block{extent_.batch, piece.steps};
    const Matrix<T> dc = carried(dstates_[recurrent_].row_block(0, extent_.batch), piece);
    // C <- what the recurrent layer made
    piece.states->begin_backward(dc);
    // stream_{l+1} = layer_l(stream_l; C)
    gather(piece, dy.data, dy_);
    for (std::size_t l = piece.layers.size(); l-- > 0;) {
      gather(piece, streams[l], x_);
      piece.layers[l]->backward(Sequence<const T>({block, x_, width_}),
                                Sequence<const T>({block, dy_, width_}), {block, y_, width_});
      std::swap(dy_, y_);
    }
    piece.states->end_backward(dc);
    scatter(piece, dy_, dx.data);
  }
}

// The blocks of a segment: the first may have begun in the segment before, the last may be unfinished.
template <std::floating_point T>
void FeedbackStack<T>::cut(Extent extent, Matrix<const T> carried) {
  const Index begun = static_cast<Index>(*carried.row(0));
  for (Index b = 1; b < extent.batch; ++b) {
    if (static_cast<Index>(*carried.row(b)) == begun) continue;
    fail(Exit::failed, "feedback=on: the sequences of a batch stand at different steps of a block");
  }
  used_ = 0;
  for (Index first = 0; first < extent.steps; ++used_) {
    const Index left = used_ == 0 ? window_ - begun : window_;
    pieces_[used_].first = first;
    pieces_[used_].steps = std::min(left, extent.steps - first);
    first += pieces_[used_].steps;
  }
}

// The starts of the block; sequences of which nothing is carried start with the segment.
template <std::floating_point T>
void FeedbackStack<T>::enter(const Piece& piece, const Pass<T>& pass, bool fresh) const {
  for (Index b = 0; b < extent_.batch; ++b) {
    std::uint8_t* const starts = piece.starts + b * piece.steps;
    for (Index t = 0; t < piece.steps; ++t) {
      starts[t] = pass.start(extent_, b, piece.first + t) ? 1 : 0;
    }
    if (fresh) starts[0] = 1;
  }
}

template <std::floating_point T>
void FeedbackStack<T>::gather(const Piece& piece, const T* stream, T* rows) const {
  const Index size = piece.steps * width_;
  parallel_for(extent_.batch, [&](Index b, int) {
    std::copy_n(stream + (b * extent_.steps + piece.first) * width_, size, rows + b * size);
  });
}

template <std::floating_point T>
void FeedbackStack<T>::scatter(const Piece& piece, const T* rows, T* stream) const {
  const Index size = piece.steps * width_;
  parallel_for(extent_.batch, [&](Index b, int) {
    std::copy_n(rows + b * size, size, stream + (b * extent_.steps + piece.first) * width_);
  });
}

template class FeedbackStack<float>;
template class FeedbackStack<double>;

}  // namespace rlt
