// What a cell is: a map from a sequence to a sequence of the same length with a carried state.
// One .cpp per cell in lib/cells; the list is cells.def. How to add one: lib/README.md.
#pragma once

#include <concepts>
#include <cstdint>
#include <string_view>

#include "mixing/state_layout.hpp"
#include "nn/dropout.hpp"
#include "nn/parameter.hpp"
#include "nn/sequence.hpp"
#include "tensor/arena.hpp"

namespace rlt {

template <std::floating_point T>
class RecurrentStates;

/// What crosses the borders of a segment. Must stay valid until backward has run.
template <std::floating_point T>
struct Pass {
  enum class Keep { tape, nothing };

  /// (B, state size): the state before the first step, replaced by the state after the last one.
  /// Null data: every sequence starts fresh and nothing is written.
  Matrix<T> state{nullptr, 0, 0};
  /// The same for a cell whose state_layout is in_lanes, worked on where it lies: (groups, state size of a head,
  /// lane_count), dealt as HeadLanes says, aligned to memory_alignment. Of the two one is null.
  T* lanes = nullptr;
  /// (B, T), 1 where an episode or document begins: the state is reset before that step. May be null.
  const std::uint8_t* starts = nullptr;
  Dropout dropout{};  // for cells that drop inside, such as attention weights
  /// nothing: no backward will follow (evaluation, streaming, acting). The outputs have the same bits.
  Keep keep = Keep::tape;
  /// Of layers that FeedbackStack runs: states that are ready to be read, and (B, state size) where backward finds the
  /// gradient of the state after the last step and leaves that of the state before the first. Other cells need neither:
  /// to them a carried state is constant.
  RecurrentStates<T>* states = nullptr;
  Matrix<T> dstate{};

  bool carries() const { return state.data != nullptr || lanes != nullptr; }
  bool start(Extent extent, Index b, Index t) const {
    return starts != nullptr && starts[b * extent.steps + t] != 0;
  }
};

/// No gradient flows into a carried state (truncated backpropagation) nor across a start. Pass::dstate is the exception.
template <std::floating_point T>
class Cell {
 public:
  virtual ~Cell() = default;

  /// Adds the parameters, named prefix + ".something".
  virtual void declare(ParameterSet<T>& parameters, std::string_view prefix) = 0;
  /// Takes tape and scratch for batches up to `largest`. Runs twice: measured, then bound.
  virtual void carve(Workspace& workspace, Extent largest) = 0;

  /// The recurrent state of a sequence after at most `context` steps; attention grows with it, recurrent
  /// cells ignore it.
  virtual StateLayout state_layout(Index context) const = 0;
  Index state_size(Index context) const { return state_layout(context).size(); }
  /// Writes the state of a fresh sequence into every row.
  virtual void initial_state(Matrix<T> state) const = 0;
  /// Computes anew what a carried state holds of the parameters (keys and values of a cache), after these have
  /// changed. Most states hold nothing of them.
  virtual void rebuild(Matrix<T> /*state*/) {}
  /// What all layers of a FeedbackStack read of this one. Most cells have nothing of the kind.
  virtual RecurrentStates<T>* states() { return nullptr; }

  /// x (B,T,D) -> y (B,T,D). Keeps in the tape what backward needs, unless the pass keeps nothing.
  virtual void forward(Sequence<const T> x, const Pass<T>& pass, Sequence<T> y) = 0;
  /// Gradients of the latest forward: overwrites dx, ADDS to the parameters' gradients.
  virtual void backward(Sequence<const T> x, Sequence<const T> dy, Sequence<T> dx) = 0;

  /// One token for each sequence: x (B,D), state (B, state size) -> y (B,D). T calls equal one forward.
  void step(Matrix<const T> x, Matrix<T> state, Matrix<T> y) {
    const Extent extent{x.rows, 1};
    forward({extent, x}, {.state = state, .keep = Pass<T>::Keep::nothing}, {extent, y});
  }
};

}  // namespace rlt
