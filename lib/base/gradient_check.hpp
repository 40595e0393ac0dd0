// A hand-written gradient against central differences of the loss, in double. The tests of cells, layers, blocks
// and losses and `rlt gradcheck` all compare here.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

namespace rlt {

/// What a comparison allows.
struct GradientTolerance {
  /// Largest error in relation to the gradient's size.
  double error = 1e-6;
  /// Smaller gradients count as of this size: the loss itself is rounded, to 1e-16 of its value, and a
  /// difference over 1e-5 shows 1e-11 of it.
  double smallest = 1;
  /// Half widths of the differences, tried in turn until one agrees. A kink (relu, a maximum) inside the interval
  /// spoils one width, not all; a wrong gradient agrees with none.
  std::array<double, 6> steps = {1e-5, 3e-6, 1e-6, 3e-7, 1e-7, 1e-8};
};

/// The smallest |gradient - difference| / max(|gradient|, |difference|, smallest) over the steps; `loss` is a
/// function of `entry`, which is put back.
template <typename Loss>
double gradient_error(double& entry, double gradient, const Loss& loss,
                      const GradientTolerance& tolerance = {}) {
  const double kept = entry;
  double best = 1e300;
  for (const double step : tolerance.steps) {
    entry = kept + step;
    const double above = loss();
    entry = kept - step;
    const double below = loss();
    entry = kept;
    const double difference = (above - below) / (2 * step);
    const double size = std::max({std::abs(gradient), std::abs(difference), tolerance.smallest});
    best = std::min(best, std::abs(gradient - difference) / size);
    if (best < tolerance.error / 10) break;
  }
  return best;
}

}  // namespace rlt
