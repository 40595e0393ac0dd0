#include "model/input.hpp"

#include <algorithm>

#include "nn/elementwise.hpp"
#include "nn/position.hpp"

namespace rlt {

template <std::floating_point T>
void Input<T>::declare(ParameterSet<T>& parameters) {
  if (config_.vocabulary > 0) {
    embedding_.declare(parameters, "embedding", config_.vocabulary, width_);
  }
  if (learns_positions()) waves_.declare(parameters, "time", width_);
  if (!projects()) return;
  if (config_.matrix) {
    projection_.declare(parameters, "input", config_.features, width_, Bias::zero, config_.matrix);
  } else {
    projection_.declare(parameters, "input", config_.features, width_, Bias::uniform);
  }
}

template <std::floating_point T>
void Input<T>::carve(Workspace& workspace, Extent largest) {
  const Index rows = largest.rows();
  if (adds_positions()) positions_ = workspace.tape.take<Index>(rows);
  if (learns_positions()) {
    const ScratchScope scope(workspace);
    waves_.carve(workspace, rows);
  } else if (adds_positions()) {
    wave_ = workspace.tape.take<T>(width_);
    wave_position_ = -1;
  }
  if (!projects()) return;
  reals_ = workspace.tape.take<T>(rows, config_.features);
  if (rectifies()) projected_ = workspace.tape.take<T>(rows, width_);
  const ScratchScope scope(workspace);
  if (rectifies()) {
    dprojected_ = workspace.scratch.take<T>(rows, width_);
  } else if (config_.vocabulary > 0) {
    projected_ = workspace.scratch.take<T>(rows, width_);
  }
  projection_.carve(workspace, rows);
}

template <std::floating_point T>
StateLayout Input<T>::state_layout() const {
  if (!adds_positions()) return {};
  return {.pieces = {{"position", {}}}};
}

template <std::floating_point T>
void Input<T>::forward(const Inputs& inputs, const Pass<T>& pass, Matrix<T> x) {
  if (config_.vocabulary > 0) embedding_.forward(inputs.tokens, x);
  if (config_.features > 0) read_reals(inputs.reals, x);
  if (adds_positions()) add_positions(inputs.extent, pass, x);
}

// Adds f(W r + b) to the embeddings in x, or writes it where there are none.
template <std::floating_point T>
void Input<T>::read_reals(Matrix<const float> r, Matrix<T> x) {
  const Matrix<T> reals = projects() ? Matrix<T>(reals_, x.rows, config_.features) : x;
  for (Index row = 0; row < x.rows; ++row) {
    std::copy_n(r.row(row), config_.features, reals.row(row));
  }
  if (!projects()) return;
  const bool has_tokens = config_.vocabulary > 0;
  const Index count = x.rows * width_;
  const Matrix<T> projected = has_tokens || rectifies() ? Matrix<T>(projected_, x.rows, width_) : x;
  projection_.forward(reals, projected);
  if (rectifies()) {
    for (Index i = 0; i < count; ++i) projected_[i] = std::max(projected_[i], T(0));
    if (!has_tokens) std::copy_n(projected_, count, x.data);
  }
  if (has_tokens) add(x.data, projected.data, x.data, count);
}

template <std::floating_point T>
void Input<T>::backward(const Inputs& inputs, Matrix<const T> dx) {
  // x_t = E[token_t] + f(W r_t + b) + position(t)
  if (learns_positions()) waves_.backward(positions_, dx);
  if (config_.vocabulary > 0) embedding_.backward(inputs.tokens, dx);
  if (!projects()) return;
  const Matrix<const T> reals(reals_, dx.rows, config_.features);
  if (!rectifies()) return projection_.backward_parameters(reals, dx);
  for (Index i = 0; i < dx.rows * width_; ++i) {
    dprojected_[i] = projected_[i] > T(0) ? dx.data[i] : T(0);
  }
  projection_.backward_parameters(reals, {dprojected_, dx.rows, width_});
}

template <std::floating_point T>
void Input<T>::add_positions(Extent extent, const Pass<T>& pass, Matrix<T> x) {
  for (Index b = 0; b < extent.batch; ++b) {
    T* const read = pass.carries() ? pass.state.row(b) : nullptr;
    Index position = read == nullptr ? 0 : static_cast<Index>(*read);
    for (Index t = 0; t < extent.steps; ++t, ++position) {
      if (pass.start(extent, b, t)) position = 0;
      positions_[b * extent.steps + t] = position;
    }
    if (read != nullptr) *read = static_cast<T>(position);
  }
  if (learns_positions()) return waves_.forward(positions_, x);
  // Step by step: mostly all rows of a step are at the same position, and sines are dear.
  for (Index t = 0; t < extent.steps; ++t) {
    for (Index b = 0; b < extent.batch; ++b) {
      const Index row = b * extent.steps + t;
      if (wave_position_ != positions_[row]) {
        wave_position_ = positions_[row];
        sinusoidal(wave_position_, width_, wave_);
      }
      add(x.row(row), wave_, x.row(row), width_);
    }
  }
}

template class Input<float>;
template class Input<double>;

}  // namespace rlt
