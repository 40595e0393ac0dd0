#include "losses/normal_tail.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "base/gradient_check.hpp"

using namespace rlt;

// Abramowitz and Stegun 26.2; log Q(z) to ten digits and more, for tails where erfc is 0.
TEST_CASE("normal tail: known values from the middle to the far end") {
  CHECK(log_normal_tail(0) == doctest::Approx(std::log(0.5)).epsilon(1e-15));
  CHECK(std::exp(log_normal_tail(1)) == doctest::Approx(0.15865525393145705).epsilon(1e-14));
  CHECK(std::exp(log_normal_tail(-1)) == doctest::Approx(0.84134474606854293).epsilon(1e-14));
  CHECK(log_normal_tail(10) == doctest::Approx(std::log(7.619853024160527e-24)).epsilon(1e-14));
  CHECK(log_normal_tail(-10) == doctest::Approx(-7.619853024160527e-24).epsilon(1e-12));
  CHECK(log_normal_tail(30) == doctest::Approx(std::log(4.906713927148187e-198)).epsilon(1e-14));
  // log Q(z) = -z^2/2 - log(z sqrt(2 pi)) - 1/z^2 + O(z^-4)
  const double far = -5e11 - std::log(1e6) - half_log_two_pi - 1e-12;
  CHECK(log_normal_tail(1e6) == doctest::Approx(far).epsilon(1e-15));
  CHECK(log_normal_tail(-1e6) == 0);
  CHECK(normal_hazard(-1e6) == 0);
  CHECK(normal_hazard(1e6) == doctest::Approx(1e6 + 1e-6).epsilon(1e-15));
}

TEST_CASE("normal tail: the two formulas meet, and the hazard is the slope") {
  const double below = std::nextafter(12.0, 0.0);
  CHECK(log_normal_tail(12) == doctest::Approx(log_normal_tail(below)).epsilon(1e-14));
  CHECK(normal_hazard(12) == doctest::Approx(normal_hazard(below)).epsilon(1e-13));
  for (double z : {-40.0, -7.5, -1.0, 0.0, 0.3, 4.0, 11.5, 12.0, 12.5, 37.0, 1000.0}) {
    CAPTURE(z);
    const double hazard = normal_hazard(z);
    const GradientTolerance tolerance{.smallest = std::max(1.0, z * z / 100)};
    CHECK(gradient_error(
              z, -hazard, [&] { return log_normal_tail(z); }, tolerance) < tolerance.error);
  }
}
