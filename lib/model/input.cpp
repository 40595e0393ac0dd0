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
  if (config_.features > 0) {
    projection_.declare(parameters, "input", config_.features, width_, Bias::uniform);
  }
}

template <std::floating_point T>
void Input<T>::carve(Workspace& workspace, Extent largest) {
  if (config_.features == 0) return;
  reals_ = workspace.tape.take<T>(largest.rows(), config_.features);
  const ScratchScope scope(workspace);
  if (config_.vocabulary > 0) projected_ = workspace.scratch.take<T>(largest.rows(), width_);
  projection_.carve(workspace, largest.rows());
}

template <std::floating_point T>
StateLayout Input<T>::state_layout() const {
  if (!adds_positions()) return {};
  return {.pieces = {{"position", {}}}};
}

template <std::floating_point T>
void Input<T>::forward(const Inputs& inputs, const Pass<T>& pass, Matrix<T> x) {
  if (config_.vocabulary > 0) embedding_.forward(inputs.tokens, x);
  if (config_.features > 0) {
    const Matrix<T> reals(reals_, x.rows, config_.features);
    for (Index row = 0; row < x.rows; ++row) {
      std::copy_n(inputs.reals.row(row), config_.features, reals.row(row));
    }
    const Matrix<T> projected = config_.vocabulary > 0 ? Matrix<T>(projected_, x.rows, width_) : x;
    projection_.forward(reals, projected);
    if (config_.vocabulary > 0) add(x.data, projected.data, x.data, x.rows * width_);
  }
  if (adds_positions()) add_positions(inputs.extent, pass, x);
}

template <std::floating_point T>
void Input<T>::backward(const Inputs& inputs, Matrix<const T> dx) {
  // x_t = E[token_t] + W r_t + b + position(t)
  if (config_.vocabulary > 0) embedding_.backward(inputs.tokens, dx);
  if (config_.features > 0) {
    projection_.backward_parameters({reals_, dx.rows, config_.features}, dx);
  }
}

template <std::floating_point T>
void Input<T>::add_positions(Extent extent, const Pass<T>& pass, Matrix<T> x) const {
  for (Index b = 0; b < extent.batch; ++b) {
    T* const read = pass.carries() ? pass.state.row(b) : nullptr;
    Index position = read == nullptr ? 0 : static_cast<Index>(*read);
    for (Index t = 0; t < extent.steps; ++t, ++position) {
      if (pass.start(extent, b, t)) position = 0;
      add_sinusoidal(position, width_, x.row(b * extent.steps + t));
    }
    if (read != nullptr) *read = static_cast<T>(position);
  }
}

template class Input<float>;
template class Input<double>;

}  // namespace rlt
