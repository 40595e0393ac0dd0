#include <doctest/doctest.h>

#include "support/cell_fixture.hpp"

using rlt::Extent;
using rlt::Index;
using support::CellFixture;
using support::Variant;

namespace {

Variant variant_of(const std::string& form, Index width, Index inputs = 0) {
  rlt::CellConfig config;
  config.d_model = width;
  config.inputs = inputs;
  config.options["form"] = form;
  return {"gru", rlt::complete("gru", config)};
}

}  // namespace

TEST_CASE("gru: parameter counts are those of the baseline of arXiv 2310.15719 and of Haiku") {
  CHECK(CellFixture<float>(variant_of("flax", 680, 16), {1, 1}).parameters.count() == 1422560);
  for (const Index n : {7, 64}) {
    CHECK(CellFixture<float>(variant_of("flax", n), {1, 1}).parameters.count() ==
          3 * n * (n + n) + 4 * n);
    CHECK(CellFixture<float>(variant_of("plain", n), {1, 1}).parameters.count() ==
          3 * n * (n + n) + 3 * n);
  }
}

// With every matrix 0 and c = tanh(b_c) the state is a mean of old and new: z weighs the old one in flax's form,
// the new one in the plain form.
TEST_CASE("gru: z keeps the old state in flax's form and takes the new one in the plain form") {
  constexpr Extent extent{1, 3};
  constexpr Index width = 5;
  const double z = 1 / (1 + std::exp(-1.0));
  const double c = std::tanh(0.7);
  for (const auto& [form, kept] : {std::pair<std::string, double>{"flax", z}, {"plain", 1 - z}}) {
    CellFixture<double> fixture(variant_of(form, width), extent);
    std::fill_n(fixture.parameters.values(), fixture.parameters.flat_size(), 0.0);
    for (const rlt::Parameter<double>& parameter : fixture.parameters.all()) {
      if (parameter.name != "cell.bias") continue;
      std::fill_n(parameter.value + width, width, 1.0);
      std::fill_n(parameter.value + 2 * width, width, 0.7);
    }
    std::vector<double> x = fixture.random("x", extent.rows() * width);
    const std::vector<double> y = fixture.forward(extent, x);
    for (Index i = 0; i < width; ++i) {
      CHECK(y[i] == doctest::Approx(c * (1 - kept)));
      CHECK(y[2 * width + i] == doctest::Approx(c * (1 - kept * kept * kept)));
    }
  }
}

// r acts behind U_c in flax's form, before it in the plain form: with r = 1/2 everywhere it may stand on either
// side, so that the forms differ by the side of z alone.
TEST_CASE("gru: the forms are the same function where r is constant and z = 1/2") {
  constexpr Extent extent{2, 9};
  constexpr Index width = 5;
  std::vector<std::vector<double>> outputs;
  for (const std::string form : {"flax", "plain"}) {
    CellFixture<double> fixture(variant_of(form, width), extent);
    for (const rlt::Parameter<double>& parameter : fixture.parameters.all()) {
      const Index cols = parameter.shape.back();
      for (Index i = 0; i < parameter.count(); ++i) {
        const bool opens_gates = parameter.name != "cell.candidate" && i % cols < 2 * width;
        if (opens_gates) parameter.value[i] = 0;
      }
    }
    std::vector<double> x = fixture.random("x", extent.rows() * width);
    outputs.push_back(fixture.forward(extent, x));
  }
  CHECK(support::largest_difference(outputs[0], outputs[1]) < 1e-14);
}

TEST_CASE("gru: no number of the state leaves [-1, 1]") {
  constexpr Extent extent{3, 300};
  for (const std::string form : {"flax", "plain"}) {
    CellFixture<double> fixture(variant_of(form, 7), extent);
    std::vector<double> x = fixture.random("x", extent.rows() * fixture.width(), 100);
    const std::vector<double> y = fixture.forward(extent, x);
    double largest = 0;
    for (const double h : y) largest = std::max(largest, std::abs(h));
    CHECK(largest > 0.9);
    CHECK(largest <= 1);
  }
}
