// The signed size and index type of the whole project.
#pragma once

#include <cstddef>

namespace rlt {

using Index = std::ptrdiff_t;

/// Smallest multiple of `step` that is not below `value` (both > 0).
constexpr Index round_up(Index value, Index step) { return (value + step - 1) / step * step; }
constexpr Index divide_up(Index value, Index step) { return (value + step - 1) / step; }

}  // namespace rlt
