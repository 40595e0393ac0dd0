// Sums over finished episodes.
#pragma once

#include "base/index.hpp"

namespace rlt {

struct Episodes {
  Index count = 0;
  Index successes = 0;  // that reached the environment's goal
  Index steps = 0;
  double returns = 0;
  double squares = 0;  // of the returns

  void add(Index length, double earned, bool succeeded) {
    ++count;
    successes += succeeded ? 1 : 0;
    steps += length;
    returns += earned;
    squares += earned * earned;
  }
  Episodes& operator+=(const Episodes& other) {
    count += other.count;
    successes += other.successes;
    steps += other.steps;
    returns += other.returns;
    squares += other.squares;
    return *this;
  }
  double mean_return() const { return count == 0 ? 0 : returns / static_cast<double>(count); }
};

}  // namespace rlt
