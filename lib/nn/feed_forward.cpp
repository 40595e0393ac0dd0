#include "nn/feed_forward.hpp"

#include <algorithm>
#include <string>

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
}

// Both products of a block of rows follow each other while the block is in cache.
template <typename T>
void FeedForward<T>::forward(Matrix<const T> x, Matrix<T> y, const Dropout& dropout) {
  dropout_ = dropout;
  const Index inner = up_.outputs();
  for_row_blocks(x.rows, inner, [&](Index first, Index count) {
    const Matrix<T> hidden(inner_ + first * inner, count, inner);
    up_.forward_block(x.row_block(first, count), hidden);
    for (Index i = 0; i < count * inner; ++i) hidden.data[i] = std::max(hidden.data[i], T(0));
    if (dropout.active()) {
      for (Index i = 0; i < count * inner; ++i) {
        hidden.data[i] *= dropout.template factor<T>(first * inner + i);
      }
    }
    down_.forward_block(hidden, y.row_block(first, count));
  });
}

template <typename T>
void FeedForward<T>::backward(Matrix<const T> x, Matrix<const T> dy, Matrix<T> dx) {
  const Index inner = up_.outputs();
  // Where relu or dropout made the inner value 0, no gradient passes; elsewhere dropout scales it.
  const T scale = static_cast<T>(1 / (1 - dropout_.rate));
  for_row_blocks(x.rows, inner, [&](Index first, Index count) {
    const Matrix<T> dhidden(dinner_ + first * inner, count, inner);
    down_.backward_input_block(dy.row_block(first, count), dhidden, Write::overwrite);
    const T* const hidden = inner_ + first * inner;
    for (Index i = 0; i < count * inner; ++i) {
      dhidden.data[i] = hidden[i] > T(0) ? dhidden.data[i] * scale : T(0);
    }
    up_.backward_input_block(dhidden, dx.row_block(first, count), Write::overwrite);
  });
  down_.backward_parameters({inner_, x.rows, inner}, dy);
  up_.backward_parameters(x, Matrix<const T>(dinner_, x.rows, inner));
}

template class FeedForward<float>;
template class FeedForward<double>;

}  // namespace rlt
