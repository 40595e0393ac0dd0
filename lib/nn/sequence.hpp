// What cells and blocks speak: batches of sequences.
#pragma once

#include "base/size.hpp"
#include "tensor/matrix.hpp"

namespace rlt {

/// Size of a batch of sequences.
struct Extent {
  Index batch = 0;
  Index steps = 0;
  Index rows() const { return product(batch, steps); }  // row of (b, t) is b steps + t
};

/// A batch of sequences of vectors, (B, T, features), as the matrix of its rows (B T, features).
template <typename T>
struct Sequence {
  Extent extent;
  Matrix<T> rows;

  Sequence(Extent extent_, Matrix<T> rows_) : extent(extent_), rows(rows_) {}
  Sequence(Extent extent_, T* data, Index features)
      : extent(extent_), rows(data, extent_.rows(), features) {}
  /// A Sequence can be read through a Sequence of const.
  operator Sequence<const T>() const { return {extent, rows}; }
};

}  // namespace rlt
