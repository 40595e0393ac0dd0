// A stretch of memory cut into pieces with names.
#pragma once

#include <array>
#include <cstddef>
#include <numeric>
#include <utility>

#include "base/index.hpp"

namespace rlt {

/// `Pieces` is an aggregate of N pointers; they get pieces of these sizes, one after the other from `start`.
template <template <typename> class Pieces, typename Vector, std::size_t N>
Pieces<Vector> cut(Vector* start, const std::array<Index, N>& sizes) {
  const auto next = [&](std::size_t i) { return std::exchange(start, start + sizes[i]); };
  return [&]<std::size_t... i>(std::index_sequence<i...>) { return Pieces<Vector>{next(i)...}; }
  (std::make_index_sequence<N>());
}

template <std::size_t N>
Index total(const std::array<Index, N>& sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), Index{0});
}

}  // namespace rlt
