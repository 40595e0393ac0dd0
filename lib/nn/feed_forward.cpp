#include "nn/feed_forward.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "tensor/lanes.hpp"

namespace rlt {

template <typename T>
void FeedForward<T>::declare(ParameterSet<T>& parameters, std::string_view prefix, Index width,
                             Index inner) {
  up_.declare(parameters, std::string(prefix) + ".up", width, inner, Bias::uniform);
  down_.declare(parameters, std::string(prefix) + ".down", inner, width, Bias::uniform);
}

template <typename T>
void FeedForward<T>::carve(Workspace& workspace, Index rows) {
  inner_ = workspace.tape.take<T>(rows * up_.outputs());
  const ScratchScope scope(workspace);
  dinner_ = workspace.scratch.take<T>(thread_count() * up_.block_rows() * up_.outputs());
  dbranch_ = workspace.scratch.take<T>(rows * down_.outputs());
  up_.carve(workspace, rows);
  down_.carve(workspace, rows);
}

// Both products of a block of rows, and all that goes element by element, while the block is in cache.
template <typename T>
void FeedForward<T>::forward(Matrix<const T> x, Matrix<const T> residual, Matrix<T> y,
                             const Dropout& inside, const Dropout& after) {
  inside_ = inside;
  after_ = after;
  const Index inner = up_.outputs();
  const Index width = down_.outputs();
  for_row_blocks(x.rows, up_.block_rows(), [&](const RowBlock& block) {
    const auto [first, count] = std::pair(block.first, block.count);
    const Matrix<T> hidden(inner_ + first * inner, count, inner);
    up_.product_block(block.of(x), hidden);
    for (Index r = 0; r < count; ++r) {
      T* const row = hidden.data + r * inner;
      for (Index c = 0; c < inner; ++c) row[c] = std::max(row[c] + up_.bias()[c], T(0));
    }
    if (inside.active()) {
      for (Index i = 0; i < count * inner; ++i) {
        hidden.data[i] *= inside.template factor<T>(first * inner + i);
      }
    }
    down_.product_block(hidden, block.of(y));
    for (Index r = first; r < first + count; ++r) {
      T* const row = y.data + r * y.stride;
      const T* const kept = residual.data + r * residual.stride;
      if (after.active()) {
        for (Index c = 0; c < width; ++c) {
          row[c] = kept[c] + (row[c] + down_.bias()[c]) * after.template factor<T>(r * width + c);
        }
      } else {
        for (Index c = 0; c < width; ++c) row[c] += kept[c] + down_.bias()[c];
      }
    }
  });
}

template <typename T>
void FeedForward<T>::backward(Matrix<const T> x, Matrix<const T> dy, Matrix<T> dx) {
  const Index inner = up_.outputs();
  const Matrix<const T> dbranch(after_.applied(dy.data, dbranch_, dy.rows * dy.cols), dy.rows,
                                dy.cols);
  // Where relu or dropout made the inner value 0, no gradient passes; elsewhere dropout scales it.
  const T scale = static_cast<T>(1 / (1 - inside_.rate));
  up_.begin_backward();
  down_.begin_backward();
  for_row_blocks(x.rows, up_.block_rows(), [&](const RowBlock& block) {
    const Matrix<const T> hidden = block.of(Matrix<const T>(inner_, x.rows, inner));
    const Matrix<T> dhidden(dinner_ + block.thread * up_.block_rows() * inner, block.count, inner);
    down_.backward_parameters_block(block, hidden, block.of(dbranch));
    down_.backward_input_block(block.of(dbranch), dhidden);
    for (Index i = 0; i < block.count * inner; i += lane_count<T>) {
      const Index left = block.count * inner - i;
      const Lanes<T> slope = load_lanes(dhidden.data + i, left) * scale;
      const auto passes = load_lanes(hidden.data + i, left) > Lanes<T>(T(0));
      store_lanes(dhidden.data + i, xsimd::select(passes, slope, Lanes<T>(T(0))), left);
    }
    up_.backward_parameters_block(block, block.of(x), dhidden);
    up_.backward_input_block(dhidden, block.of(dx));
  });
  up_.end_backward(x.rows);
  down_.end_backward(x.rows);
}

template class FeedForward<float>;
template class FeedForward<double>;

}  // namespace rlt
