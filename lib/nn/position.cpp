#include "nn/position.hpp"

#include <cmath>

namespace rlt {

template <typename T>
void add_sinusoidal(Index position, Index width, T* x) {
  for (Index c = 0; c < width; ++c) {
    const double exponent = static_cast<double>(c - c % 2) / static_cast<double>(width);
    const double angle = static_cast<double>(position) / std::pow(10000.0, exponent);
    x[c] += static_cast<T>(c % 2 == 0 ? std::sin(angle) : std::cos(angle));
  }
}

template void add_sinusoidal<float>(Index, Index, float*);
template void add_sinusoidal<double>(Index, Index, double*);

}  // namespace rlt
