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
      rlt::add_sinusoidal(position, width, x.data());
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
  rlt::add_sinusoidal(0, 5, x.data());
  CHECK(x == std::vector<double>{0, 1, 0, 1, 0});
}

TEST_CASE("sinusoidal positions: they are added, and no entry beyond the width is touched") {
  std::vector<double> fresh(4, 0);
  std::vector<double> x = {10, 20, 30, 40};
  rlt::add_sinusoidal(3, 3, fresh.data());
  rlt::add_sinusoidal(3, 3, x.data());
  for (std::size_t c = 0; c < 3; ++c) {
    CHECK(x[c] == doctest::Approx(10.0 * static_cast<double>(c + 1) + fresh[c]).epsilon(1e-14));
  }
  CHECK(x[3] == 40);
}
