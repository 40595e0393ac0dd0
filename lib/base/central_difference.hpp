// The derivative that every gradient here is checked against.
#pragma once

namespace rlt {

/// (loss(entry + step) - loss(entry - step)) / (2 step); leaves `entry` as it was.
template <typename Loss>
double central_difference(double& entry, double step, const Loss& loss) {
  const double kept = entry;
  entry = kept + step;
  const double above = loss();
  entry = kept - step;
  const double below = loss();
  entry = kept;
  return (above - below) / (2 * step);
}

}  // namespace rlt
