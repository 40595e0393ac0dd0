// What recurrences across the whole width share: the sequences of a batch go through time together, so that each
// step is one product for many of them.
#pragma once

#include <algorithm>

#include "base/parallel.hpp"
#include "nn/sequence.hpp"

namespace rlt {

/// body(first sequence, number of sequences) over slices of the batch, in parallel. Slices are small, so that
/// there are enough for all threads, but larger where the state is wide, since each product reads all of its
/// (width, ..) matrix.
template <typename Body>
void for_batch_slices(Index batch, Index width, const Body& body) {
  const Index height = width <= 128 ? 8 : 16;
  parallel_for(divide_up(batch, height), [&](Index slice, int) {
    const Index first = slice * height;
    body(first, std::min(height, batch - first));
  });
}

/// The rows of step t of the sequences first .. first + count - 1 inside a (B,T,cols) buffer.
template <typename T>
Matrix<T> step_rows(T* buffer, Index cols, Extent extent, Index first, Index count, Index t) {
  return {buffer + (first * extent.steps + t) * cols, count, cols, extent.steps * cols};
}

/// Copies as many rows as both have.
template <typename T>
void copy_rows(Matrix<const T> from, Matrix<T> to) {
  for (Index r = 0; r < std::min(from.rows, to.rows); ++r) {
    std::copy_n(from.row(r), from.cols, to.row(r));
  }
}

template <typename T>
void clear_rows(Matrix<T> rows) {
  for (Index r = 0; r < rows.rows; ++r) std::fill_n(rows.row(r), rows.cols, T(0));
}

}  // namespace rlt
