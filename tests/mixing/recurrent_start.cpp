#include "mixing/recurrent_start.hpp"

#include <doctest/doctest.h>

#include "support/cell_fixture.hpp"

using rlt::Index;

namespace {

/// The parameters of a new cell of 6 features that reads 4.
rlt::ParameterSet<double> started(const std::string& cell, const std::string& init) {
  rlt::CellConfig config;
  config.d_model = 6;
  config.inputs = 4;
  config.options["init"] = init;
  rlt::ParameterSet<double> parameters;
  rlt::make_cell<double>(cell, rlt::complete(cell, config))->declare(parameters, "cell");
  parameters.allocate();
  parameters.initialize(1);
  return parameters;
}

}  // namespace

TEST_CASE("recurrent start: orthogonal rows in every gate's matrix, gain sqrt(2), and biases 0") {
  for (const std::string cell : {"lstm", "gru", "elman"}) {
    CAPTURE(cell);
    const rlt::ParameterSet<double> parameters = started(cell, "orthogonal");
    for (const rlt::Parameter<double>& parameter : parameters.all()) {
      CAPTURE(parameter.name);
      if (parameter.shape.size() == 1) {
        for (Index i = 0; i < parameter.count(); ++i) CHECK(parameter.value[i] == 0);
        continue;
      }
      const Index rows = parameter.shape[0];
      const Index cols = parameter.shape[1];
      for (Index first = 0; first < cols; first += 6) {
        for (Index a = 0; a < rows; ++a) {
          for (Index b = 0; b < rows; ++b) {
            double product = 0;
            for (Index j = first; j < first + 6; ++j) {
              product += parameter.value[a * cols + j] * parameter.value[b * cols + j];
            }
            CHECK(product == doctest::Approx(a == b ? 2 : 0).epsilon(1e-12));
          }
        }
      }
    }
  }
}

TEST_CASE("recurrent start: uniform fills every parameter up to the bound 1 / sqrt(D)") {
  const double bound = 1 / std::sqrt(6.0);
  for (const std::string cell : {"lstm", "gru", "elman"}) {
    CAPTURE(cell);
    const rlt::ParameterSet<double> parameters = started(cell, "uniform");
    for (const rlt::Parameter<double>& parameter : parameters.all()) {
      CAPTURE(parameter.name);
      double largest = 0;
      for (Index i = 0; i < parameter.count(); ++i) {
        largest = std::max(largest, std::abs(parameter.value[i]));
      }
      CHECK(largest <= bound);
      CHECK(largest > bound / 4);
    }
  }
}
