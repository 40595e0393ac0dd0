#include "tensor/fma_peak.hpp"

#include <algorithm>
#include <chrono>

#include "base/parallel.hpp"
#include "tensor/lanes.hpp"

namespace rlt {
namespace {

constexpr Index chains = 12;  // two units with a latency of four or five cycles need ten
constexpr Index rounds = 400'000;

template <typename T>
T multiply_add() {
  Lanes<T> sums[chains];
  for (Index i = 0; i < chains; ++i) sums[i] = Lanes<T>(static_cast<T>(i));
  const Lanes<T> factor(T(0.5));
  for (Index round = 0; round < rounds; ++round) {
    for (Index i = 0; i < chains; ++i) sums[i] = xsimd::fma(sums[i], factor, factor);
  }
  T sum(0);
  for (Index i = 0; i < chains; ++i) sum += sums[i].get(0);
  return sum;
}

}  // namespace

template <std::floating_point T>
double fma_peak_gflops() {
  const Index threads = thread_count();
  volatile T sink = 0;
  double fastest = 0;
  for (int repeat = 0; repeat < 6; ++repeat) {
    const auto start = std::chrono::steady_clock::now();
    parallel_for(threads, [&](Index, int) {
      const T sum = multiply_add<T>();
      if (sum < T(0)) sink = sum;  // never: keeps the loop
    });
    const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - start;
    const auto operations = static_cast<double>(2 * threads * rounds * chains * lane_count<T>);
    fastest = std::max(fastest, operations / taken.count());
  }
  return fastest;
}

template double fma_peak_gflops<float>();
template double fma_peak_gflops<double>();

}  // namespace rlt
