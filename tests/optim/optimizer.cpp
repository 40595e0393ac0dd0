#include "optim/optimizer.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace rlt;

namespace {

/// 37 parameters with one gradient each: `first`, then `rest`.
template <typename T>
struct Gradients {
  ParameterSet<T> parameters;
  T* values;

  Gradients(T first, T rest) {
    parameters.add("w", {37}, Init::constant(0));
    parameters.allocate();
    values = parameters.all().front().gradient;
    for (Index i = 0; i < 37; ++i) values[i] = i == 0 ? first : rest;
  }
};

constexpr double rounding = 1e-5;  // of the sum and the scaling in float

}  // namespace

TEST_CASE("clipping: gradients are scaled to the limit, or left alone below it") {
  Gradients<float> some(3, 4);
  const double norm = std::sqrt(9.0 + 36 * 16);
  CHECK(clip_gradients(some.parameters, 2 * norm) == doctest::Approx(norm).epsilon(rounding));
  CHECK(some.values[1] == 4);
  CHECK(clip_gradients(some.parameters, 0) == doctest::Approx(norm).epsilon(rounding));
  CHECK(some.values[1] == 4);
  clip_gradients(some.parameters, 1);
  CHECK(some.values[1] == doctest::Approx(4 / norm).epsilon(rounding));
}

TEST_CASE_TEMPLATE("clipping: rescues gradients whose squares leave the range of their type", T,
                   float, double) {
  for (const double share : {1e-1, 1e-10}) {
    const T huge = std::numeric_limits<T>::max() * static_cast<T>(share);
    Gradients<T> some(huge, huge / 2);
    const double norm = clip_gradients(some.parameters, 1);
    CHECK(norm / static_cast<double>(huge) == doctest::Approx(std::sqrt(10.0)).epsilon(rounding));
    CHECK(some.values[0] == doctest::Approx(1 / std::sqrt(10.0)).epsilon(rounding));
    CHECK(some.values[36] == doctest::Approx(0.5 / std::sqrt(10.0)).epsilon(rounding));
  }
}

TEST_CASE("clipping: what is not finite stays so, and shows in the norm") {
  const float infinity = std::numeric_limits<float>::infinity();
  Gradients<float> some(infinity, 1);
  CHECK(clip_gradients(some.parameters, 1) == std::numeric_limits<double>::infinity());
  CHECK(some.values[0] == infinity);
  CHECK(some.values[1] == 1);
  Gradients<float> lost(1e30f, std::nanf(""));
  CHECK(std::isnan(clip_gradients(lost.parameters, 1)));
}
