// A deck as the card games lay it, written for their tests.
#pragma once

#include <algorithm>
#include <vector>

#include "base/rng.hpp"

namespace rlt::test {

/// The classes of `cards` cards in a row, in the order in which they are dealt.
inline std::vector<int> slow_deck(int cards, int classes, const Rng& rng) {
  std::vector<int> deck;
  while (static_cast<int>(deck.size()) < cards) {
    for (int c = 0; c < classes; ++c) deck.push_back(c);
  }
  for (int from_end = 1; from_end < cards; ++from_end) {
    const int place = cards - from_end;
    std::iter_swap(deck.begin() + place, deck.begin() + rng.below(place, place + 1));
  }
  return deck;
}

inline std::vector<float> one_hot(int value, int count) {
  std::vector<float> result(static_cast<std::size_t>(count), 0.0F);
  result[static_cast<std::size_t>(value)] = 1;
  return result;
}

inline std::vector<float> joined(std::vector<float> first, const std::vector<float>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

/// The class that a one-hot part of an observation shows.
inline int shown_class(const std::vector<float>& observation, int first, int count) {
  const auto begin = observation.begin() + first;
  return static_cast<int>(std::find(begin, begin + count, 1.0F) - begin);
}

}  // namespace rlt::test
