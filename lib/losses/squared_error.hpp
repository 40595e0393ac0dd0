// Squared error: sum over k of (output_k - target_k)^2 / 2 at every scored position.
#pragma once

#include "losses/loss.hpp"

namespace rlt {

template <std::floating_point T>
class SquaredError final : public Loss<T> {
 public:
  /// `size`: numbers of a target.
  explicit SquaredError(Index size) : size_(size) {}

  Index outputs() const override { return size_; }
  Index scored(const Targets& targets) const override;
  void apply(const Targets& targets, T scale, Matrix<T> outputs,
             std::span<Score> scores) const override;

 private:
  Index size_;
};

}  // namespace rlt
