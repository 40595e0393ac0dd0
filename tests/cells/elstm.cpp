#include <doctest/doctest.h>

#include "support/cell_fixture.hpp"

using rlt::Extent;
using rlt::Index;
using support::CellFixture;
using support::Variant;

namespace {

Variant variant_of_width(Index width) {
  rlt::CellConfig config;
  config.d_model = width;
  return {"elstm", rlt::complete("elstm", config)};
}

}  // namespace

TEST_CASE("elstm: the parameter count is that of the paper's code") {
  for (const Index n : {7, 64}) {
    CellFixture<float> fixture(variant_of_width(n), {1, 1});
    // two input maps, w and b of z and f, the output gate over [x ; c]
    CHECK(fixture.parameters.count() == 2 * n * n + 4 * n + n * (n + n) + n);
  }
}

TEST_CASE("elstm: no number of the state leaves [-1, 1]") {
  constexpr Extent extent{3, 300};
  CellFixture<double> fixture(variant_of_width(7), extent);
  std::vector<double> x = fixture.random("x", extent.rows() * fixture.width(), 100);
  for (double& value : x) value = std::abs(value);  // pushes one way all the time
  std::vector<double> state = fixture.fresh_state(extent.batch, extent.steps);
  const std::vector<double> y =
      fixture.forward(extent, x, {.state = fixture.state_matrix(state, extent.batch)});
  double largest = 0;
  for (const double c : state) largest = std::max(largest, std::abs(c));
  CHECK(largest > 0.9);
  CHECK(largest <= 1);
  CHECK(std::ranges::all_of(y, [](double value) { return std::abs(value) <= 1; }));
}
