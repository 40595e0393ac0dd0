// Work on whole buffers, cut into fixed blocks.
#pragma once

#include <algorithm>

#include "base/parallel.hpp"

namespace rlt {

inline constexpr Index buffer_block = 16384;

/// body(first, last) for each block first .. last - 1 of [0, count), in parallel.
template <typename Body>
void for_buffer_blocks(Index count, const Body& body) {
  parallel_for(divide_up(count, buffer_block), [&](Index block, int) {
    body(block * buffer_block, std::min(count, (block + 1) * buffer_block));
  });
}

/// sum_i = a_i + b_i; `sum` may be `a` or `b`.
template <typename T>
void add(const T* a, const T* b, T* sum, Index count) {
  for_buffer_blocks(count, [&](Index first, Index last) {
    for (Index i = first; i < last; ++i) sum[i] = a[i] + b[i];
  });
}

}  // namespace rlt
