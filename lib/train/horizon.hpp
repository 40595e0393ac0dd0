// How far does a trained model carry? The longest strings that it still gets right, found by doubling their length
// until it fails and bisecting what lies between.
#pragma once

#include <functional>
#include <optional>

#include "losses/score.hpp"

namespace rlt {

/// Right at `lower` (0: not even at the shortest), wrong at `upper`; no upper: right to the end of the search.
struct Horizon {
  Index lower = 0;
  std::optional<Index> upper = {};
};

/// What of the strings of a length must be entirely right.
inline constexpr Index least_percent = 99;
inline bool carries(const Score& score) {
  return 100 * score.sequences_correct >= least_percent * score.sequences;
}

/// The bracket is at most lower / bracket_share wide, or as narrow as the possible lengths allow.
inline constexpr Index bracket_share = 20;

/// Lengths to try: from `first`, doubling up to `end`. `possible`: Task::possible_length.
struct Lengths {
  Index first;
  Index end;
  std::function<Index(Index)> possible;
};

/// `is_right(length)` is asked once of every length tried. What is right at one length and wrong at a shorter one is
/// found or not: the search takes the lengths as if they fell into two halves. `possible(first)` must not be 0.
Horizon find_horizon(const Lengths& lengths, const std::function<bool(Index)>& is_right);

}  // namespace rlt
