#include "nn/feed_forward.hpp"

#include <algorithm>
#include <string>

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
  dinner_ = workspace.scratch.take<T>(rows * up_.outputs());
  dbranch_ = workspace.scratch.take<T>(rows * down_.outputs());
}

// Both products of a block of rows, and all that goes element by element, while the block is in cache.
template <typename T>
void FeedForward<T>::forward(Matrix<const T> x, Matrix<const T> residual, Matrix<T> y,
                             const Dropout& inside, const Dropout& after) {
  inside_ = inside;
  after_ = after;
  const Index inner = up_.outputs();
  const Index width = down_.outputs();
  for_row_blocks(x.rows, inner, [&](Index first, Index count) {
    const Matrix<T> hidden(inner_ + first * inner, count, inner);
    up_.product_block(x.row_block(first, count), hidden);
    for (Index r = 0; r < count; ++r) {
      T* const row = hidden.data + r * inner;
      for (Index c = 0; c < inner; ++c) row[c] = std::max(row[c] + up_.bias()[c], T(0));
    }
    if (inside.active()) {
      for (Index i = 0; i < count * inner; ++i) {
        hidden.data[i] *= inside.template factor<T>(first * inner + i);
      }
    }
    down_.product_block(hidden, y.row_block(first, count));
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
  for_row_blocks(x.rows, inner, [&](Index first, Index count) {
    const Matrix<T> dhidden(dinner_ + first * inner, count, inner);
    down_.backward_input_block(dbranch.row_block(first, count), dhidden, Write::overwrite);
    const T* const hidden = inner_ + first * inner;
    for (Index i = 0; i < count * inner; i += lane_count<T>) {
      const Index left = count * inner - i;
      const Lanes<T> slope = load_lanes(dhidden.data + i, left) * scale;
      const auto passes = load_lanes(hidden + i, left) > Lanes<T>(T(0));
      store_lanes(dhidden.data + i, xsimd::select(passes, slope, Lanes<T>(T(0))), left);
    }
    up_.backward_input_block(dhidden, dx.row_block(first, count), Write::overwrite);
  });
  down_.backward_parameters({inner_, x.rows, inner}, dbranch);
  up_.backward_parameters(x, Matrix<const T>(dinner_, x.rows, inner));
}

template class FeedForward<float>;
template class FeedForward<double>;

}  // namespace rlt
