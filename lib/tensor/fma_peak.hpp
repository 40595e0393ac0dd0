// What the processor can do at most: multiply-adds on registers alone.
#pragma once

#include <concepts>

namespace rlt {

/// Thousand million floating-point operations per second (an fma is two) of thread_count() threads together, the best of
/// a few short runs. 30 ms.
template <std::floating_point T>
double fma_peak_gflops();

}  // namespace rlt
