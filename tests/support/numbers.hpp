// Numbers to test with, and how far from each other two lots of them are.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "base/rng.hpp"

namespace support {

using rlt::Index;

/// `count` numbers uniform in [-1, 1]; another lot for every seed, the same ones in float and double.
template <typename T = double>
std::vector<T> numbers(Index count, std::uint64_t seed) {
  const rlt::Rng rng(seed);
  std::vector<T> values(static_cast<std::size_t>(count));
  for (Index i = 0; i < count; ++i) values[i] = static_cast<T>(2 * rng.uniform(i) - 1);
  return values;
}

/// Largest |a - b| / max(1, |b|).
template <typename A, typename B>
double largest_difference(const A& a, const B& b) {
  double worst = a.size() == b.size() ? 0 : 1e300;
  for (std::size_t i = 0; i < std::min<std::size_t>(a.size(), b.size()); ++i) {
    const double expected = static_cast<double>(b[i]);
    const double error = std::abs(static_cast<double>(a[i]) - expected);
    worst = std::max(worst, error / std::max(1.0, std::abs(expected)));
    if (!(error == error)) worst = 1e300;
  }
  return worst;
}

}  // namespace support
