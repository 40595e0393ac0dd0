// What all blocks around one cell share: the cell itself and its state.
#pragma once

#include <memory>
#include <utility>

#include "cells/cell.hpp"

namespace rlt {

template <std::floating_point T>
class Wrapper : public Cell<T> {
 public:
  Wrapper(std::unique_ptr<Cell<T>> cell, Index width) : cell_(std::move(cell)), width_(width) {}

  Index state_size(Index context) const override { return cell_->state_size(context); }
  void initial_state(Matrix<T> state) const override { cell_->initial_state(state); }

 protected:
  /// Streams of the dropout masks inside one block.
  enum Site : Index { in_cell, after_cell, in_feed_forward, after_feed_forward };

  /// What the cell inside gets: the same borders, its own dropout masks.
  static Carry<T> inner(const Carry<T>& carry) {
    Carry<T> result = carry;
    result.dropout = carry.dropout.stream(in_cell);
    return result;
  }
  Matrix<T> rows(Extent extent, T* data) const { return {data, extent.rows(), width_}; }
  Matrix<const T> rows(Extent extent, const T* data) const { return {data, extent.rows(), width_}; }
  Tensor<T, 3> sequence(Extent extent, T* data) const {
    return tensor<T, 3>(data, {extent.batch, extent.steps, width_});
  }
  const Tensor<T, 3> sequence(Extent extent, const T* data) const {
    return sequence(extent, const_cast<T*>(data));  // const again: a const Tensor is read-only
  }

  std::unique_ptr<Cell<T>> cell_;
  Index width_;
};

}  // namespace rlt
