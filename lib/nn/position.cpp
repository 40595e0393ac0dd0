#include "nn/position.hpp"

#include <cmath>

namespace rlt {

template <typename T>
void sinusoidal(Index position, Index width, T* wave) {
  for (Index c = 0; c < width; ++c) {
    const double exponent = static_cast<double>(c - c % 2) / static_cast<double>(width);
    const double angle = static_cast<double>(position) / std::pow(10000.0, exponent);
    wave[c] = static_cast<T>(c % 2 == 0 ? std::sin(angle) : std::cos(angle));
  }
}

template void sinusoidal<float>(Index, Index, float*);
template void sinusoidal<double>(Index, Index, double*);

}  // namespace rlt
