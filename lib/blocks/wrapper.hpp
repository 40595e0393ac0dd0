// What all blocks around one cell share: the cell itself and its state.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>

#include "mixing/cell.hpp"
#include "nn/row_blocks.hpp"

namespace rlt {

template <std::floating_point T>
class Wrapper : public Cell<T> {
 public:
  Wrapper(std::unique_ptr<Cell<T>> cell, Index width) : cell_(std::move(cell)), width_(width) {}

  StateLayout state_layout(Index context) const override { return cell_->state_layout(context); }
  void initial_state(Matrix<T> state) const override { cell_->initial_state(state); }
  void rebuild(Matrix<T> state) override { cell_->rebuild(state); }
  RecurrentStates<T>* states() override { return cell_->states(); }

 protected:
  /// Streams of the dropout masks inside one block.
  enum Site : Index { in_cell, after_cell, in_feed_forward, after_feed_forward };

  /// What the cell inside gets: the same state and starts, its own dropout masks.
  static Pass<T> cell_pass(const Pass<T>& pass) {
    Pass<T> result = pass;
    result.dropout = pass.dropout.stream(in_cell);
    return result;
  }
  Matrix<T> rows(Extent extent, T* data) const { return {data, extent.rows(), width_}; }
  Sequence<T> sequence(Extent extent, T* data) const { return {extent, data, width_}; }

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
