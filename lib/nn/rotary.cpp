#include "nn/rotary.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "tensor/lanes.hpp"

namespace rlt {

Rotary::Rotary(Index head_size) : head_size_(head_size) {
  const Index pairs = head_size / 2;
  frequencies_.assign(static_cast<std::size_t>(round_up(pairs, lane_count<double>)), 0.0);
  for (Index i = 0; i < pairs; ++i) {
    const double exponent = 2 * static_cast<double>(i) / static_cast<double>(head_size);
    frequencies_[i] = std::pow(10000.0, -exponent);
  }
}

template <typename T>
void Rotary::rotate(Index position, T direction, Index heads, T* x) const {
  constexpr Index n = lane_count<double>;
  const Index pairs = head_size_ / 2;
  // also for float in double: as a float, an angle of 5000 has lost three digits
  for (Index first = 0; first < pairs; first += n) {
    const Lanes<double> angle = static_cast<double>(position) * load_lanes(&frequencies_[first]);
    const auto [sines, cosines] = xsimd::sincos(angle);
    std::array<T, static_cast<std::size_t>(n)> sine;
    std::array<T, static_cast<std::size_t>(n)> cosine;
    for (Index i = 0; i < n; ++i) {
      sine[i] = direction * static_cast<T>(sines.get(static_cast<std::size_t>(i)));
      cosine[i] = static_cast<T>(cosines.get(static_cast<std::size_t>(i)));
    }
    const Index count = std::min(n, pairs - first);
    for (Index head = 0; head < heads; ++head) {
      T* const pair = x + head * head_size_ + 2 * first;
      for (Index i = 0; i < count; ++i) {
        const T a = pair[2 * i];
        const T b = pair[2 * i + 1];
        pair[2 * i] = a * cosine[i] - b * sine[i];
        pair[2 * i + 1] = a * sine[i] + b * cosine[i];
      }
    }
  }
}

template void Rotary::rotate<float>(Index, float, Index, float*) const;
template void Rotary::rotate<double>(Index, double, Index, double*) const;

}  // namespace rlt
