#include "mixing/relative_positions.hpp"

#include <doctest/doctest.h>

#include <cmath>

using rlt::Index;
using rlt::Matrix;
using rlt::RelativePositions;

namespace {

constexpr Index width = 6;
constexpr Index capacity = 11;

struct Case {
  Case() {
    positions.declare(parameters, "position");
    parameters.allocate();
    for (int run = 0; run < 2; ++run) {
      positions.carve(workspace, capacity);
      if (run == 0) workspace.allocate();
    }
    // W = 2, b = 1: what comes out shows s
    const rlt::Parameter<double>& weight = parameters.all()[0];
    const rlt::Parameter<double>& bias = parameters.all()[1];
    for (Index c = 0; c < width; ++c) weight.value[c * width + c] = 2;
    for (Index c = 0; c < width; ++c) bias.value[c] = 1;
  }

  RelativePositions<double> positions{width, width};
  rlt::ParameterSet<double> parameters;
  rlt::Workspace workspace;
};

}  // namespace

TEST_CASE("relative positions: all sines, then all cosines, from the largest distance down to 0") {
  Case at;
  for (const Index distances : {3, 11, 7}) {
    at.positions.project(distances);
    CHECK(at.positions.projected() == distances);
    const Matrix<const double> r = at.positions.rows(distances);
    const Matrix<const double> columns = at.positions.columns(distances);
    for (Index i = 0; i < distances; ++i) {
      const Index row = distances - 1 - i;
      for (Index c = 0; c < width; ++c) {
        const double angle =
            static_cast<double>(i) / std::pow(10000.0, static_cast<double>(c % 3) / 3);
        const double s = c < 3 ? std::sin(angle) : std::cos(angle);
        CHECK(r.row(row)[c] == doctest::Approx(2 * s + 1).epsilon(1e-12));
        CHECK(columns.row(c)[row] == r.row(row)[c]);
      }
    }
  }
}

TEST_CASE("relative positions: the gradients are those of the encodings of the same distances") {
  Case at;
  constexpr Index distances = 4;
  at.positions.project(distances);
  std::vector<double> dr(static_cast<std::size_t>(distances * width), 0.0);
  dr[1 * width + 2] = 5;  // of distance 2
  at.positions.backward({dr.data(), distances, width});
  const double* const dweight = at.parameters.all()[0].gradient;
  const double* const dbias = at.parameters.all()[1].gradient;
  CHECK(dweight[0 * width + 2] == doctest::Approx(5 * std::sin(2.0)).epsilon(1e-12));
  CHECK(dweight[3 * width + 2] == doctest::Approx(5 * std::cos(2.0)).epsilon(1e-12));
  CHECK(dweight[3 * width + 1] == 0);
  CHECK(dbias[2] == 5);
}
