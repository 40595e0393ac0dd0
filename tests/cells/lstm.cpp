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
  return {"lstm", rlt::complete("lstm", config)};
}

}  // namespace

TEST_CASE("lstm: the parameter count is that of torch.nn.LSTM") {
  for (const Index n : {7, 512}) {
    CellFixture<float> fixture(variant_of_width(n), {1, 1});
    CHECK(fixture.parameters.count() == 4 * n * (n + n) + 8 * n);
  }
  CellFixture<float> fixture(variant_of_width(512), {1, 1});
  CHECK(fixture.parameters.count() == 2101248);  // a second layer adds 3,430,166 - 1,328,918
}

TEST_CASE("lstm: the parameter count of arXiv 2310.15719's baseline, plus our second bias vector") {
  Variant variant = variant_of_width(600);
  variant.config.inputs = 16;
  CHECK(CellFixture<float>(variant, {1, 1}).parameters.count() == 1480800 + 4 * 600);
}

TEST_CASE("lstm: both bias vectors get the same gradient") {
  constexpr Extent extent{3, 11};
  const Variant variant = variant_of_width(7);
  CellFixture<double> fixture(variant, extent);
  std::vector<double> x = fixture.random("x", extent.rows() * fixture.width());
  std::vector<double> dy = fixture.random("dy", extent.rows() * fixture.width());
  fixture.forward(extent, x);
  fixture.backward(extent, x, dy);
  const auto gradient = [&](const std::string& name) {
    for (const rlt::Parameter<double>& parameter : fixture.parameters.all()) {
      if (parameter.name != name) continue;
      return std::vector<double>(parameter.gradient, parameter.gradient + parameter.count());
    }
    return std::vector<double>();
  };
  const std::vector<double> first = gradient("cell.bias_input");
  REQUIRE(first.size() == 28);
  CHECK(first == gradient("cell.bias_recurrent"));
  CHECK(std::ranges::none_of(first, [](double value) { return value == 0; }));
}

TEST_CASE("lstm: with open gates the cell counts beyond any bound") {
  constexpr Extent extent{1, 200};
  CellFixture<double> fixture(variant_of_width(3), extent);
  std::fill_n(fixture.parameters.values(), fixture.parameters.flat_size(), 0.0);
  for (const rlt::Parameter<double>& parameter : fixture.parameters.all()) {
    if (parameter.name == "cell.bias_input") std::fill_n(parameter.value, parameter.count(), 50.0);
  }
  std::vector<double> x(static_cast<std::size_t>(extent.rows() * fixture.width()), 0);
  std::vector<double> state = fixture.fresh_state(1, extent.steps);
  fixture.forward(extent, x, {.state = fixture.state_matrix(state, 1)});
  for (Index i = 0; i < 3; ++i) CHECK(state[3 + i] == doctest::Approx(200));  // one per step
}
