#include <doctest/doctest.h>

#include "support/cell_fixture.hpp"

using rlt::Extent;
using rlt::Index;
using support::CellFixture;
using support::Variant;

namespace {

Variant variant_of(const std::string& activation, Index width) {
  rlt::CellConfig config;
  config.d_model = width;
  config.options["activation"] = activation;
  return {"elman", rlt::complete("elman", config)};
}

}  // namespace

TEST_CASE("elman: it has n (m + n) + n parameters") {
  for (const Index n : {7, 64}) {
    CHECK(CellFixture<float>(variant_of("tanh", n), {1, 1}).parameters.count() == 2 * n * n + n);
  }
}

TEST_CASE(
    "elman: with U = 1 and b = 1 it counts if phi is relu, and comes to rest below 1 if it is "
    "tanh") {
  constexpr Extent extent{1, 200};
  for (const std::string activation : {"relu", "tanh"}) {
    CellFixture<double> fixture(variant_of(activation, 3), extent);
    std::fill_n(fixture.parameters.values(), fixture.parameters.flat_size(), 0.0);
    for (const rlt::Parameter<double>& parameter : fixture.parameters.all()) {
      if (parameter.name == "cell.bias") std::fill_n(parameter.value, parameter.count(), 1.0);
      if (parameter.name != "cell.recurrent") continue;
      for (Index i = 0; i < 3; ++i) parameter.value[i * 3 + i] = 1;
    }
    std::vector<double> x(static_cast<std::size_t>(extent.rows() * fixture.width()), 0);
    const double last = fixture.forward(extent, x).back();
    if (activation == "relu") CHECK(last == 200);  // one per step
    if (activation == "tanh") CHECK(last == doctest::Approx(std::tanh(last + 1)).epsilon(1e-12));
    if (activation == "tanh") CHECK(last < 1);
  }
}
