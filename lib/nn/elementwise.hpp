// Whole-buffer sums, cut into fixed blocks.
#pragma once

#include <algorithm>

#include "base/parallel.hpp"

namespace rlt {

/// sum_i = a_i + b_i; `sum` may be `a` or `b`.
template <typename T>
void add(const T* a, const T* b, T* sum, Index count) {
  constexpr Index block = 16384;
  parallel_for(divide_up(count, block), [&](Index index, int) {
    const Index first = index * block;
    const Index last = std::min(count, first + block);
    for (Index i = first; i < last; ++i) sum[i] = a[i] + b[i];
  });
}

}  // namespace rlt
