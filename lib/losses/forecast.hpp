// Direct forecasting in units of the window: an output z (H, C) foretells mean + deviation z of the wanted y (H, C),
// where mean and deviation (C) are those of the window that was read.
// Targets::reals, a row: y (H, C), mean (C), deviation (C).
// Loss of a row: the mean over H C of (mean + deviation z - y)^2, so that Score::loss_per_token is the MSE.
#pragma once

#include "losses/loss.hpp"

namespace rlt {

template <std::floating_point T>
class Forecast final : public Loss<T> {
 public:
  Forecast(Index horizon, Index channels) : horizon_(horizon), channels_(channels) {}

  Index outputs() const override { return horizon_ * channels_; }
  Index scored(const Targets& targets) const override;
  /// Counts a row as one token and H C numbers; errors are those of y.
  void apply(const Targets& targets, T scale, Matrix<T> outputs,
             std::span<Score> scores) const override;

 private:
  void apply_row(const float* target, T scale, T* z, Score& score) const;

  Index horizon_, channels_;
};

}  // namespace rlt
