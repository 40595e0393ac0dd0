// The rows (batch x time) of a layer's pass, cut for threads and caches.
#pragma once

#include <algorithm>

#include "base/parallel.hpp"
#include "tensor/gemm.hpp"

namespace rlt {

/// A block of the rows of a pass. How rows are cut into parts, and parts into blocks, depends on the number of
/// rows alone. Backward sums gradients of parameters within each part, and then over the parts in order, so
/// that the number of threads does not matter.
struct RowBlock {
  Index part;
  Index first;  // row
  Index count;  // of rows
  bool opens;   // it is the first of its part
  int thread;

  template <typename T>
  Matrix<T> of(Matrix<T> rows) const {
    return rows.row_block(first, count);
  }
};

/// 1, 2, 4, 8 or 16 parts, of at least 128 rows.
constexpr Index part_rows(Index rows) {
  Index parts = 1;
  while (parts < 16 && rows / (2 * parts) >= 128) parts *= 2;
  return divide_up(rows, parts);
}
constexpr Index part_count(Index rows) { return divide_up(rows, part_rows(rows)); }

/// Rows of a block at most, a multiple of 8: enough for products at full speed, and few enough that what a layer
/// makes of them stays in cache.
inline constexpr Index block_rows = 96;

/// body(RowBlock) over blocks of about equal size: parts in parallel, the blocks of each part in order.
template <typename Body>
void for_row_blocks(Index rows, const Body& body) {
  const Index length = part_rows(rows);
  const Index even = round_up(divide_up(length, divide_up(length, block_rows)), 8);
  parallel_for(part_count(rows), [&](Index part, int thread) {
    const Index last = std::min(rows, (part + 1) * length);
    for (Index first = part * length; first < last; first += even) {
      body(RowBlock{part, first, std::min(even, last - first), first == part * length, thread});
    }
  });
}

}  // namespace rlt
