// Cells that read any width of input: what the contract asks of all cells at width D, at another width.
#include <doctest/doctest.h>

#include "base/gradient_check.hpp"
#include "reference/reference.hpp"
#include "support/cell_fixture.hpp"

using rlt::Extent;
using rlt::Index;
using support::CellFixture;
using support::Variant;

namespace {

constexpr Extent extent{3, 11};

/// body(variant) for every variant that reads any width, narrower and wider than D = 12.
template <typename Body>
void for_every_width(const Body& body) {
  for (Variant variant : support::variants()) {
    if (!rlt::cell_info(variant.cell).any_input_width) continue;
    for (const Index inputs : {5, 19}) {
      variant.config.inputs = inputs;
      INFO("cell: ", variant.name(), ", inputs: ", inputs);
      body(variant);
    }
  }
}

}  // namespace

TEST_CASE("input width: forward equals the independent reference") {
  for_every_width([](const Variant& variant) {
    CellFixture<double> fixture(variant, extent);
    const Index inputs = variant.config.inputs;
    std::vector<double> x = fixture.random("x", extent.rows() * inputs);
    std::vector<double> y(static_cast<std::size_t>(extent.rows() * fixture.width()));
    fixture.cell->forward({extent, x.data(), inputs}, {}, fixture.sequence(extent, y));
    for (Index b = 0; b < extent.batch; ++b) {
      reference::Array2 sequence = xt::zeros<double>({extent.steps, inputs});
      std::copy_n(x.begin() + b * extent.steps * inputs, sequence.size(), sequence.begin());
      const reference::Array2 expected = reference::find(variant.cell)(
          fixture.config, reference::parameters_of(fixture.parameters), sequence);
      const auto first = y.begin() + b * extent.steps * fixture.width();
      const std::vector<double> got(first, first + extent.steps * fixture.width());
      CHECK(support::largest_difference(
                got, std::vector<double>(expected.begin(), expected.end())) < 1e-12);
    }
  });
}

TEST_CASE("input width: gradients equal central differences") {
  for_every_width([](const Variant& variant) {
    CellFixture<double> fixture(variant, extent);
    const Index inputs = variant.config.inputs;
    std::vector<double> x = fixture.random("x", extent.rows() * inputs);
    std::vector<double> dx(x.size(), 99);
    std::vector<double> y(static_cast<std::size_t>(extent.rows() * fixture.width()));
    std::vector<double> probe = fixture.random("probe", std::ssize(y));
    std::vector<std::uint8_t> starts(static_cast<std::size_t>(extent.rows()), 0);
    starts[extent.steps + 4] = 1;
    const auto loss = [&] {
      fixture.cell->forward({extent, x.data(), inputs}, {.starts = starts.data()},
                            fixture.sequence(extent, y));
      double sum = 0;
      for (std::size_t i = 0; i < y.size(); ++i) sum += y[i] * probe[i];
      return sum;
    };
    loss();
    fixture.cell->backward({extent, x.data(), inputs}, fixture.sequence(extent, probe),
                           {extent, dx.data(), inputs});
    const std::vector<double> gradients = fixture.gradients();
    constexpr double tolerance = rlt::GradientTolerance().error;
    for (const rlt::Parameter<double>& parameter : fixture.parameters.all()) {
      for (Index i = 0; i < parameter.count(); i += std::max<Index>(1, parameter.count() / 23)) {
        const double gradient = gradients[parameter.offset + i];
        CHECK_MESSAGE(rlt::gradient_error(parameter.value[i], gradient, loss) < tolerance,
                      parameter.name);
      }
    }
    for (std::size_t i = 0; i < x.size(); i += 7) {
      CHECK(rlt::gradient_error(x[i], dx[i], loss) < tolerance);
    }
  });
}
