#include "model/head.hpp"

#include <cmath>

#include "nn/elementwise.hpp"
#include "tensor/lanes.hpp"

namespace rlt {

template <std::floating_point T>
void Head<T>::declare(ParameterSet<T>& parameters) {
  if (config_.tied) {
    table_.attach(parameters.share("embedding.weight", {config_.outputs, width_}, init::normal(1)));
    return;
  }
  if (!is_deep()) {
    last_.declare(parameters, config_.name, width_, config_.outputs, Bias::uniform);
    return;
  }
  const Init matrix = init::orthogonal(std::sqrt(2.0));
  first_.declare(parameters, config_.name + ".hidden", width_, config_.hidden, Bias::zero, matrix);
  last_.declare(parameters, config_.name + ".out", config_.hidden, config_.outputs, Bias::zero,
                matrix);
}

template <std::floating_point T>
void Head<T>::carve(Workspace& workspace, Index rows) {
  if (is_deep()) hidden_ = workspace.tape.take<T>(rows, config_.hidden);
  const ScratchScope scope(workspace);
  if (config_.scale != 1) dunscaled_ = workspace.scratch.take<T>(rows, config_.outputs);
  if (config_.tied) return table_.carve(workspace, rows);
  if (is_deep()) {
    dhidden_ = workspace.scratch.take<T>(rows, config_.hidden);
    first_.carve(workspace, rows);
  }
  last_.carve(workspace, rows);
}

template <std::floating_point T>
void Head<T>::forward(Matrix<const T> h, Matrix<T> outputs) {
  map(h, outputs);
  if (config_.scale == 1) return;
  const T scale = static_cast<T>(config_.scale);
  for_row_blocks(h.rows, [&](const RowBlock& block) {
    const Matrix<T> own = block.of(outputs);
    for (Index row = 0; row < own.rows; ++row) {
      for (Index c = 0; c < own.cols; ++c) own.row(row)[c] *= scale;
    }
  });
}

template <std::floating_point T>
void Head<T>::backward(Matrix<const T> h, Matrix<const T> doutputs, Matrix<T> dh) {
  if (config_.scale == 1) return map_backward(h, doutputs, dh);
  // outputs = scale map(h)
  const T scale = static_cast<T>(config_.scale);
  const Matrix<T> dunscaled(dunscaled_, h.rows, config_.outputs);
  for_row_blocks(h.rows, [&](const RowBlock& block) {
    const Matrix<const T> above = block.of(doutputs);
    const Matrix<T> own = block.of(dunscaled);
    for (Index row = 0; row < own.rows; ++row) {
      for (Index c = 0; c < own.cols; ++c) own.row(row)[c] = scale * above.row(row)[c];
    }
  });
  map_backward(h, dunscaled, dh);
}

template <std::floating_point T>
void Head<T>::map(Matrix<const T> h, Matrix<T> outputs) {
  if (config_.tied) return table_.forward(h, outputs);
  if (!is_deep()) return last_.forward(h, outputs);
  first_.forward(h, hidden_rows(h.rows, hidden_));
  for_buffer_blocks(h.rows * config_.hidden, [&](Index first, Index last) {
    for (Index i = first; i < last; i += lane_count<T>) {
      store_lanes(hidden_ + i, xsimd::tanh(load_lanes(hidden_ + i, last - i)), last - i);
    }
  });
  last_.forward(hidden_rows(h.rows, hidden_), outputs);
}

template <std::floating_point T>
void Head<T>::map_backward(Matrix<const T> h, Matrix<const T> doutputs, Matrix<T> dh) {
  if (config_.tied) return table_.backward(h, doutputs, dh);
  if (!is_deep()) return last_.backward(h, doutputs, dh);
  // outputs = t W_2 + b_2
  last_.backward(hidden_rows(h.rows, hidden_), doutputs, hidden_rows(h.rows, dhidden_));
  // t = tanh(h W_1 + b_1)
  for_buffer_blocks(h.rows * config_.hidden, [&](Index first, Index last) {
    for (Index i = first; i < last; ++i) dhidden_[i] *= T(1) - hidden_[i] * hidden_[i];
  });
  first_.backward(h, hidden_rows(h.rows, dhidden_), dh);
}

template class Head<float>;
template class Head<double>;

}  // namespace rlt
