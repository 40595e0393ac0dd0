// What a cell is: a map from a sequence to a sequence of the same length with a carried state.
// One .cpp per cell; the list is cells.def.
#pragma once

#include <concepts>
#include <cstdint>
#include <string_view>

#include "nn/dropout.hpp"
#include "nn/extent.hpp"
#include "nn/parameter.hpp"
#include "tensor/arena.hpp"
#include "tensor/gemm.hpp"
#include "tensor/tensor.hpp"

namespace rlt {

/// What crosses the borders of a segment. Must stay valid until backward has run.
template <std::floating_point T>
struct Carry {
  /// (B, state_size): the state before the first step, replaced by the state after the last one.
  /// Null data: every sequence starts fresh and nothing is written.
  Matrix<T> state{nullptr, 0, 0};
  /// (B, T), 1 where an episode or document begins: the state is reset before that step. May be null.
  const std::uint8_t* starts = nullptr;
  Dropout dropout{};  // for cells that drop inside, such as attention weights

  bool start(Extent extent, Index b, Index t) const {
    return starts != nullptr && starts[b * extent.steps + t] != 0;
  }
};

/// No gradient flows into a carried state (truncated backpropagation) nor across a start.
template <std::floating_point T>
class Cell {
 public:
  virtual ~Cell() = default;

  /// Adds the parameters, named prefix + ".something".
  virtual void declare(ParameterSet<T>& parameters, std::string_view prefix) = 0;
  /// Takes tape and scratch for batches up to `largest`. Runs twice: measured, then bound.
  virtual void carve(Workspace& workspace, Extent largest) = 0;

  /// Numbers of recurrent state a sequence has after at most `context` steps; attention grows with it,
  /// recurrent cells ignore it.
  virtual Index state_size(Index context) const = 0;
  /// Writes the state of a fresh sequence into every row.
  virtual void initial_state(Matrix<T> state) const = 0;

  /// x (B,T,D) -> y (B,T,D). Keeps in the tape what backward needs.
  virtual void forward(Extent extent, const Tensor<T, 3>& x, const Carry<T>& carry,
                       Tensor<T, 3>& y) = 0;
  /// Gradients of the latest forward: overwrites dx, ADDS to the parameters' gradients.
  virtual void backward(Extent extent, const Tensor<T, 3>& x, const Tensor<T, 3>& dy,
                        Tensor<T, 3>& dx) = 0;

  /// One token for each sequence: x (B,D), state (B,state_size) -> y (B,D). T calls equal one forward.
  void step(const Tensor<T, 2>& x, Matrix<T> state, Tensor<T, 2>& y) {
    const Index batch = side(x, 0);
    auto* const tokens =
        const_cast<T*>(x.data());  // read only: a const Tensor has a mutable pointee
    const Tensor<T, 3> x3 = tensor<T, 3>(tokens, {batch, 1, side(x, 1)});
    Tensor<T, 3> y3 = tensor<T, 3>(y.data(), {batch, 1, side(y, 1)});
    forward({batch, 1}, x3, {.state = state}, y3);
  }
};

}  // namespace rlt
