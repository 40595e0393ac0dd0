// Counter-based random numbers: value = f(key, index). Drawing one changes no other.
// A stream is a key; `stream(name or number)` derives an independent one. The i-th value of a key is
// the i-th output of SplitMix64 (Steele, Lea, Flood 2014) started at that key.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <string_view>

#include "base/index.hpp"

namespace rlt {

class Rng {
 public:
  explicit constexpr Rng(std::uint64_t seed) : key_(mix(seed + golden)) {}

  /// An independent generator named by a number, such as a step or a row.
  constexpr Rng stream(std::uint64_t number) const { return Rng(mix(key_ ^ mix(number + golden))); }
  /// An independent generator named by a word, such as "init" or a parameter's name (FNV-1a).
  constexpr Rng stream(std::string_view name) const {
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    return stream(hash);
  }

  /// 64 random bits for position `index`.
  constexpr std::uint64_t bits(Index index) const {
    return mix(key_ + golden * (static_cast<std::uint64_t>(index) + 1));
  }
  /// Uniform in [0, 1).
  constexpr double uniform(Index index) const {
    return static_cast<double>(bits(index) >> 11) * 0x1.0p-53;
  }
  /// Uniform integer in [0, count). The bias of the multiply-shift is below count / 2^64.
  constexpr Index below(Index index, Index count) const {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(bits(index)) * static_cast<std::uint64_t>(count);
    return static_cast<Index>(static_cast<std::uint64_t>(product >> 64));
  }
  /// Standard normal: Box-Muller on the values 2 index and 2 index + 1. Not for a
  /// stream that uniform() is called on.
  double normal(Index index) const {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform(2 * index)));
    return radius * std::cos(2.0 * std::numbers::pi * uniform(2 * index + 1));
  }

 private:
  static constexpr std::uint64_t golden = 0x9e3779b97f4a7c15ULL;
  static constexpr std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  std::uint64_t key_;
};

/// A cursor over one stream, for generators that need "the next" number (rejection sampling).
class Draws {
 public:
  explicit constexpr Draws(Rng rng) : rng_(rng) {}
  constexpr double uniform() { return rng_.uniform(next_++); }
  constexpr Index below(Index count) { return rng_.below(next_++, count); }
  /// Uniform in [low, high], both included.
  constexpr Index between(Index low, Index high) { return low + below(high - low + 1); }
  constexpr bool chance(double probability) { return uniform() < probability; }

 private:
  Rng rng_;
  Index next_ = 0;
};

}  // namespace rlt
