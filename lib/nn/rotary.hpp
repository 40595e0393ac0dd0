// Rotary positions (Su et al. 2021, arXiv 2104.09864): queries and keys are turned by angles that grow
// with the position, so that their product depends on the distance between them alone.
#pragma once

#include <vector>

#include "base/index.hpp"

namespace rlt {

class Rotary {
 public:
  /// Pair (a, b) = (x_2i, x_{2i+1}) of a head turns by the angle position / 10000^(2i / head_size), to
  /// (a cos - b sin, a sin + b cos). The last component of an odd head stays as it is.
  explicit Rotary(Index head_size);

  /// Turns each of the `heads` vectors that lie one after the other at x.
  template <typename T>
  void turn(Index position, Index heads, T* x) const {
    rotate(position, T(1), heads, x);
  }
  /// Undoes `turn`. It is also its backward: from the gradient of the turned vectors to that of the vectors.
  template <typename T>
  void turn_back(Index position, Index heads, T* x) const {
    rotate(position, T(-1), heads, x);
  }

 private:
  template <typename T>
  void rotate(Index position, T direction, Index heads, T* x) const;

  Index head_size_;
  std::vector<double> frequencies_;  // filled up to whole vectors
};

}  // namespace rlt
