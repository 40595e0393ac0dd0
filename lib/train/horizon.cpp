#include "train/horizon.hpp"

#include <algorithm>

namespace rlt {
namespace {

/// Doubles the length until one is wrong or there is none longer.
Horizon double_up(const Lengths& lengths, const std::function<bool(Index)>& is_right) {
  Horizon found;
  for (Index length = lengths.possible(lengths.first); length > found.lower;
       length = lengths.possible(std::min(2 * length, lengths.end))) {
    if (!is_right(length)) return {found.lower, length};
    found.lower = length;
  }
  return found;
}

/// A possible length between the two that is near their middle; 0 when there is none.
Index between(const Lengths& lengths, Index lower, Index upper) {
  const Index middle = lengths.possible(lower + (upper - lower) / 2);
  if (middle > lower) return middle;
  const Index highest = lengths.possible(upper - 1);
  return highest > lower ? highest : 0;
}

}  // namespace

Horizon find_horizon(const Lengths& lengths, const std::function<bool(Index)>& is_right) {
  Horizon found = double_up(lengths, is_right);
  if (!found.upper) return found;
  Index upper = *found.upper;
  while (upper - found.lower > std::max<Index>(1, found.lower / bracket_share)) {
    const Index length = between(lengths, found.lower, upper);
    if (length == 0) break;
    (is_right(length) ? found.lower : upper) = length;
  }
  return {found.lower, upper};
}

}  // namespace rlt
