#include "losses/squared_error.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>

using namespace rlt;

TEST_CASE("squared error: value and gradient by hand, and nothing where nothing is asked") {
  constexpr float none = std::numeric_limits<float>::quiet_NaN();
  const std::array<float, 8> wanted = {1, 2, none, none, 0, -1, 3, 3};
  const Targets targets{.extent = {2, 2}, .reals = {wanted.data(), 4, 2}};
  std::array<double, 8> outputs = {3, 2, 9, 9, 0, 1, 3, 4};
  std::array<Score, 2> scores;
  const SquaredError<double> loss(2);
  CHECK(loss.outputs() == 2);
  CHECK(loss.scored(targets) == 3);

  std::array<double, 8> untouched = outputs;
  loss.apply(targets, 0, {untouched.data(), 4, 2}, scores);
  CHECK(untouched == outputs);
  CHECK(scores[0].loss == 2);    // (3 - 1)^2 / 2
  CHECK(scores[1].loss == 2.5);  // (1 + 1)^2 / 2 + (4 - 3)^2 / 2
  CHECK(scores[0].tokens == 1);
  CHECK(scores[1].tokens == 2);

  loss.apply(targets, 0.5, {outputs.data(), 4, 2}, scores);
  CHECK(outputs == std::array<double, 8>{1, 0, 0, 0, 0, 1, 0, 0.5});
}
