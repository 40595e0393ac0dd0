// A matrix written down with rows and columns exchanged.
#pragma once

#include <algorithm>
#include <array>
#include <type_traits>

#include "tensor/lanes.hpp"
#include "tensor/matrix.hpp"

namespace rlt {

/// to (cols, rows) = from^T, by squares of lane_count x lane_count numbers.
template <typename T>
void transpose(std::type_identity_t<Matrix<const T>> from, Matrix<T> to) {
  constexpr Index n = lane_count<T>;
  std::array<Lanes<T>, static_cast<std::size_t>(n)> columns;
  for (Index col = 0; col < from.cols; col += n) {
    const Index cols = std::min(n, from.cols - col);
    for (Index row = 0; row < from.rows; row += n) {
      const Index rows = std::min(n, from.rows - row);
      gather_lanes(from.row(row) + col, from.stride, rows, cols, columns.data());
      for (Index j = 0; j < cols; ++j) store_lanes(to.row(col + j) + row, columns[j], rows);
    }
  }
}

}  // namespace rlt
