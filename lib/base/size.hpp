// Products of sizes that users choose: never a wrong number, whatever they ask for.
#pragma once

#include <concepts>
#include <cstddef>
#include <limits>

#include "base/index.hpp"

namespace rlt {

/// Error(usage): a product of sizes has more than 63 bits, which no machine holds.
[[noreturn]] void fail_too_large();

/// The product of all; Error(usage) where it does not fit into an Index.
template <std::integral... More>
constexpr Index product(Index first, More... more) {
  Index result = first;
  if ((__builtin_mul_overflow(result, more, &result) || ...)) fail_too_large();
  return result;
}

/// Bytes of `counts` multiplied things of `size` bytes each. More than can be counted is the largest number,
/// and so is a negative count: an amount that no machine has.
template <std::integral... Counts>
constexpr std::size_t bytes_of(std::size_t size, Counts... counts) {
  std::size_t result = size;
  return (__builtin_mul_overflow(result, counts, &result) || ...)
             ? std::numeric_limits<std::size_t>::max()
             : result;
}

/// Likewise a + b.
constexpr std::size_t sum_of(std::size_t a, std::size_t b) {
  std::size_t result = 0;
  return __builtin_add_overflow(a, b, &result) ? std::numeric_limits<std::size_t>::max() : result;
}

}  // namespace rlt
