// What all blocks around one cell share: the cell itself and its state.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>

#include "cells/cell.hpp"
#include "nn/row_blocks.hpp"

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

  /// values <- residual + drop(values) in the block's rows of these (rows, D).
  void add_to_dropped(const RowBlock& block, const T* residual, const Dropout& dropout,
                      T* values) const {
    const Index first = block.first * width_;
    const Index count = block.count * width_;
    dropout.apply_block(values + first, first, count);
    for (Index i = first; i < first + count; ++i) values[i] += residual[i];
  }
  /// copy <- drop(values) in the block's rows of these (rows, D), if anything is dropped.
  void copy_dropped(const RowBlock& block, const T* values, const Dropout& dropout, T* copy) const {
    if (!dropout.active()) return;
    const Index first = block.first * width_;
    const Index count = block.count * width_;
    std::copy_n(values + first, count, copy + first);
    dropout.apply_block(copy + first, first, count);
  }

  std::unique_ptr<Cell<T>> cell_;
  Index width_;
};

}  // namespace rlt
