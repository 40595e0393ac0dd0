// Gradients against central differences of the loss sum(probe y), in double.
#pragma once

#include <cmath>

#include "base/central_difference.hpp"

namespace support {

// Step 1e-5: truncation about 1e-10, rounding about 1e-11, for losses and slopes near 1.
inline constexpr double gradient_tolerance = 1e-7;

/// |gradient - expected| / max(1, |expected|), with the central difference of `loss` at `entry`.
template <typename Loss>
double gradient_error(double& entry, double gradient, const Loss& loss) {
  const double expected = rlt::central_difference(entry, 1e-5, loss);
  return std::abs(gradient - expected) / std::max(1.0, std::abs(expected));
}

}  // namespace support
