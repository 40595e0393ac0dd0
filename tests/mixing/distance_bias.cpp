#include "mixing/distance_bias.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace rlt;

TEST_CASE("distance bias: buckets are exact below 16, then begin where T5's do, and end with 31") {
  for (Index distance = 0; distance < 16; ++distance) {
    CHECK(distance_bucket(distance) == distance);
  }
  const std::vector<Index> begins = {16, 19, 21, 24, 27, 31, 35, 40,
                                     46, 52, 59, 67, 77, 87, 99, 113};
  for (Index i = 0; i < std::ssize(begins); ++i) {
    CHECK(distance_bucket(begins[i]) == 16 + i);
    if (i > 0) CHECK(distance_bucket(begins[i] - 1) == 15 + i);
  }
  for (const Index distance : {127, 128, 129, 2048}) CHECK(distance_bucket(distance) == 31);
}

TEST_CASE("distance bias: the first number is that of the furthest key, and gradients come back") {
  constexpr Index window = 21;
  ParameterSet<double> parameters;
  DistanceBias<double> bias(2, window);
  bias.declare(parameters, "distance");
  parameters.allocate();
  parameters.initialize(1);
  Workspace workspace;
  bias.carve(workspace);
  workspace.allocate();
  bias.carve(workspace);
  bias.expand();
  const Parameter<double>& table = parameters.all()[0];
  CHECK(bias.of(1)[0] == table.value[32 + 18]);  // distance 21
  CHECK(bias.of(1)[window - 1] == table.value[32 + 1]);
  std::vector<double> dexpanded(window, 1.0);
  bias.backward(1, dexpanded.data());
  CHECK(table.gradient[32 + 16] == 3);  // 16, 17, 18
  CHECK(table.gradient[32 + 0] == 0);
  CHECK(table.gradient[1] == 0);
}
