// Inverted dropout. The mask is a function of (key, index): backward draws it again, nothing is stored,
// and neither threads nor the frequency of evaluation shift it.
#pragma once

#include "base/rng.hpp"

namespace rlt {

struct Dropout {
  double rate = 0;  // 0: off (evaluation)
  Rng key{0};

  bool active() const { return rate > 0; }
  /// An independent mask for one layer.
  Dropout stream(Index layer) const {
    return {rate, key.stream(static_cast<std::uint64_t>(layer))};
  }
  /// 0 with probability `rate`, else 1 / (1 - rate).
  template <typename T>
  T factor(Index i) const {
    return key.uniform(i) < rate ? T(0) : static_cast<T>(1 / (1 - rate));
  }
  /// x_i <- x_i factor(i); the same call serves forward and backward.
  template <typename T>
  void apply(T* x, Index count) const;
  /// The same for x_first .. x_{first + count - 1}, at `x`, on the calling thread.
  template <typename T>
  void apply_block(T* x, Index first, Index count) const;
};

}  // namespace rlt
