#include "nn/position.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

using rlt::Index;

TEST_CASE_TEMPLATE("sinusoidal positions: sines at even, cosines at odd entries, by the formula", T,
                   float, double) {
  for (const Index width : {1, 2, 7, 8, 64}) {
    for (const Index position : {0, 1, 2, 37, 5000}) {
      CAPTURE(width);
      CAPTURE(position);
      std::vector<T> x(static_cast<std::size_t>(width), T(0));
      rlt::sinusoidal(position, width, x.data());
      for (Index c = 0; c < width; ++c) {
        CAPTURE(c);
        // 10000^(2i / width) for the pair i = c / 2
        const double wavelength = std::exp(std::log(10000.0) * static_cast<double>(c / 2 * 2) /
                                           static_cast<double>(width));
        const double angle = static_cast<double>(position) / wavelength;
        const double expected = c % 2 == 0 ? std::sin(angle) : std::cos(angle);
        // an angle of 5000 is known to 5000 units of rounding of double; the result is rounded once
        CHECK(std::abs(static_cast<double>(x[c]) - expected) <
              1e-11 + std::numeric_limits<T>::epsilon());
      }
    }
  }
}

TEST_CASE("sinusoidal positions: position 0 is 0, 1, 0, 1, ...") {
  std::vector<double> x(5, 0);
  rlt::sinusoidal(0, 5, x.data());
  CHECK(x == std::vector<double>{0, 1, 0, 1, 0});
}

TEST_CASE("sinusoidal positions: no entry beyond the width is touched") {
  std::vector<double> x = {10, 20, 30, 40};
  rlt::sinusoidal(3, 3, x.data());
  CHECK(x[3] == 40);
  CHECK(x[2] != 30);
}
