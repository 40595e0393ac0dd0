#include "mixing/window_attention.hpp"

#include <algorithm>

#include "base/parallel.hpp"
#include "mixing/unit_rows.hpp"
#include "nn/row_blocks.hpp"

namespace rlt {

template <std::floating_point T>
WindowAttention<T>::WindowAttention(const CellConfig& config, Index past)
    : heads_(config.heads),
      d_(config.head_size()),
      sees_{.length = config.count("window"), .self = false},
      keys_(past, heads_ * d_),
      kernel_(d_),
      bias_(heads_, sees_.length),
      scale_(heads_) {}

template <std::floating_point T>
void WindowAttention<T>::declare(ParameterSet<T>& parameters, const std::string& name) {
  scale_.declare(parameters, name + ".scale");
  bias_.declare(parameters, name + ".distance");
}

template <std::floating_point T>
void WindowAttention<T>::carve(Workspace& workspace, Extent largest, Index keys) {
  keys_.carve(workspace, largest);
  bias_.carve(workspace);
  lengths_ = workspace.tape.take<T>(largest.rows(), 2, heads_);
  nulls_ = workspace.tape.take<Index>(largest.rows());
  keys_.carve_gradients(workspace, largest);
  dbias_ = workspace.scratch.take<T>(largest.batch, heads_, sees_.length);
  scale_.carve(workspace, largest.batch);
  kernel_.carve(workspace, std::max(keys, sees_.length + largest.steps),
                std::max(keys, sees_.length));
}

// The queries of all steps and the keys from W steps before the first on.
template <std::floating_point T>
AttentionTile<T> WindowAttention<T>::tile(Extent extent, Index b, Index head,
                                          Matrix<const T> projected) const {
  const Index window = sees_.length;
  const Index keys = extent.steps - 1 + window;
  return {.q = projected.row_block(b * extent.steps, extent.steps).col_block(head * d_, d_),
          .k = keys_.keys(b, head * d_, d_, -window, keys),
          .v = keys_.values(b, head * d_, d_, -window, keys),
          .seen = window,
          .slide = 1,
          .scale = scale_(head),
          .bias = bias_.of(head),
          .nulls = nulls_ + b * extent.steps};
}

template <std::floating_point T>
void WindowAttention<T>::forward(Extent extent, const Pass<T>& pass, Matrix<T> state,
                                 Matrix<T> projected, Matrix<T> o) {
  const Index inner = heads_ * d_;
  for_row_blocks(extent.rows(), [&](const RowBlock& block) {
    make_unit(block.of(projected).col_block(0, 2 * inner), d_, lengths_ + block.first * 2 * heads_);
  });
  keys_.join(extent, pass, state, projected.col_block(inner, 2 * inner));
  for (Index b = 0; b < extent.batch; ++b) {
    for (Index t = 0; t < extent.steps; ++t) {
      const Index whole = t - sees_.length;  // the first key of a window with a past
      const Index first = sees_.first(keys_.start(b, t), t);
      nulls_[b * extent.steps + t] = std::min(first - whole, sees_.length);
    }
  }
  bias_.expand();
  parallel_for(extent.batch * heads_, [&](Index index, int thread) {
    const Index b = index / heads_;
    const Index head = index % heads_;
    kernel_.forward(tile(extent, b, head, projected), part(o, extent, b, head), thread);
  });
  keys_.remember(state);
}

template <std::floating_point T>
void WindowAttention<T>::backward(Extent extent, Matrix<const T> projected, Matrix<const T> doutput,
                                  Matrix<T> dprojected, Matrix<const T> dstate) {
  const Index window = sees_.length;
  const Index keys = extent.steps - 1 + window;
  keys_.begin_backward(dstate);
  scale_.begin_backward(extent.batch);
  parallel_for(extent.batch * heads_, [&](Index index, int thread) {
    const Index b = index / heads_;
    const Index head = index % heads_;
    const Matrix<T> dq = part(dprojected, extent, b, head);
    T* const dbias = dbias_ + index * window;
    for (Index t = 0; t < extent.steps; ++t) std::fill_n(dq.row(t), d_, T(0));
    std::fill_n(dbias, window, T(0));
    const Matrix<const T> g =
        doutput.row_block(b * extent.steps, extent.steps).col_block(head * d_, d_);
    // o_t = attention over the steps t - W .. t - 1
    kernel_.backward(
        tile(extent, b, head, projected), g,
        {dq, keys_.dkeys(b, head * d_, d_, -window, keys),
         keys_.dvalues(b, head * d_, d_, -window, keys), scale_.gradient(b, head), dbias},
        thread);
  });
  scale_.end_backward(extent.batch);
  for (Index index = 0; index < extent.batch * heads_; ++index) {
    bias_.backward(index % heads_, dbias_ + index * window);
  }
}

template <std::floating_point T>
void WindowAttention<T>::end_backward(Matrix<const T> projected, Matrix<T> dprojected,
                                      Matrix<T> dstate) {
  const Index inner = heads_ * d_;
  keys_.end_backward(dprojected.col_block(inner, 2 * inner), dstate);
  // q and k of unit length
  for_row_blocks(projected.rows, [&](const RowBlock& block) {
    make_unit_backward(block.of(projected).col_block(0, 2 * inner), d_,
                       static_cast<const T*>(lengths_) + block.first * 2 * heads_,
                       block.of(dprojected).col_block(0, 2 * inner));
  });
}

template class WindowAttention<float>;
template class WindowAttention<double>;

}  // namespace rlt
