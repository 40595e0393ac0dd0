#include "nn/rotary.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <complex>
#include <limits>
#include <vector>

#include "support/numbers.hpp"

using rlt::Index;
using rlt::Rotary;

namespace {

template <typename T>
std::vector<T> turned(Index head_size, Index position, Index heads, std::vector<T> x) {
  Rotary(head_size).turn(position, heads, x.data());
  return x;
}

double product(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace

// Pairs as complex numbers times e^(i angle). Heads on both sides of whole vectors of pairs.
TEST_CASE_TEMPLATE("rotary: every pair turns by position over its wavelength", T, float, double) {
  constexpr Index heads = 3;
  for (const Index size : {1, 2, 3, 6, 16, 34, 64}) {
    for (const Index position : {0, 1, 2, 100, 5000}) {
      CAPTURE(size);
      CAPTURE(position);
      const std::vector<T> x = support::numbers<T>(heads * size, 5);
      const std::vector<T> y = turned(size, position, heads, x);
      std::vector<double> expected(x.begin(), x.end());
      for (Index head = 0; head < heads; ++head) {
        for (Index i = 0; i < size / 2; ++i) {
          const double angle =
              static_cast<double>(position) *
              std::exp(-std::log(10000.0) * static_cast<double>(2 * i) / static_cast<double>(size));
          double* const pair = expected.data() + head * size + 2 * i;
          const std::complex<double> rotated =
              std::complex<double>(pair[0], pair[1]) * std::polar(1.0, angle);
          pair[0] = rotated.real();
          pair[1] = rotated.imag();
        }
      }
      // the angle, up to 5000, is rounded in double; the products are rounded in T
      CHECK(support::largest_difference(y, expected) <
            1e-11 + 4 * std::numeric_limits<T>::epsilon());
    }
  }
}

TEST_CASE("rotary: turning back undoes it, and position 0 and odd last entries stay as they are") {
  const std::vector<double> x = support::numbers(2 * 7, 6);
  CHECK(turned(7, 0, 2, x) == x);
  std::vector<double> y = turned(7, 41, 2, x);
  CHECK(y[6] == x[6]);
  CHECK(y[13] == x[13]);
  CHECK(y != x);
  Rotary(7).turn_back(41, 2, y.data());
  CHECK(support::largest_difference(y, x) < 1e-14);
}

TEST_CASE("rotary: the product of two turned vectors depends on their distance alone") {
  const std::vector<double> q = support::numbers(16, 7);
  const std::vector<double> k = support::numbers(16, 8);
  const double near = product(turned(16, 12, 1, q), turned(16, 5, 1, k));
  CHECK(near == doctest::Approx(product(turned(16, 1012, 1, q), turned(16, 1005, 1, k))));
  CHECK(near == doctest::Approx(product(turned(16, 7, 1, q), k)));
  CHECK(std::abs(near - product(turned(16, 13, 1, q), turned(16, 5, 1, k))) > 1e-3);
}
