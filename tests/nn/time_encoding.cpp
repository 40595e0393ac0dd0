#include "nn/time_encoding.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "base/gradient_check.hpp"
#include "nn/position.hpp"
#include "support/numbers.hpp"

using namespace rlt;

namespace {

template <typename T>
struct Encoding {
  Index width;
  ParameterSet<T> parameters;
  TimeEncoding<T> encoding;
  Workspace workspace;

  Encoding(Index width_, Index rows) : width(width_) {
    encoding.declare(parameters, "time", width);
    parameters.allocate();
    parameters.initialize(1);
    const auto take = [&] {
      const ScratchScope scope(workspace);
      encoding.carve(workspace, rows);
    };
    take();
    workspace.allocate();
    take();
  }
  std::vector<T> waves(const std::vector<Index>& positions) const {
    std::vector<T> x(positions.size() * static_cast<std::size_t>(width), T(0));
    encoding.forward(positions.data(), {x.data(), std::ssize(positions), width});
    return x;
  }
};

}  // namespace

TEST_CASE_TEMPLATE("time encodings start as the sinusoidal positions", T, float, double) {
  // float: an angle of 999 is known to 999 units of rounding
  const double tolerance = std::is_same_v<T, float> ? 2e-4 : 1e-11;
  const std::vector<Index> positions = {0, 1, 2, 37, 999};
  for (const Index width : {1, 7, 64}) {
    CAPTURE(width);
    const std::vector<T> x = Encoding<T>(width, 5).waves(positions);
    for (Index row = 0; row < 5; ++row) {
      std::vector<T> expected(static_cast<std::size_t>(width), T(0));
      sinusoidal(positions[row], width, expected.data());
      for (Index c = 0; c < width; ++c) {
        CHECK(std::abs(x[row * width + c] - expected[c]) < tolerance);
      }
    }
  }
}

TEST_CASE("time encodings: gradients of frequencies and phases equal central differences") {
  constexpr Index width = 5;
  constexpr Index rows = 300;  // two parts
  Encoding<double> time(width, rows);
  const std::vector<double> dx = support::numbers(rows * width, 2);
  std::vector<Index> positions;
  for (Index row = 0; row < rows; ++row) positions.push_back(row * 7 % 40);
  const auto loss = [&] {
    const std::vector<double> x = time.waves(positions);
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) sum += x[i] * dx[i];
    return sum;
  };
  time.encoding.backward(positions.data(), {dx.data(), rows, width});
  for (const Parameter<double>& parameter : time.parameters.all()) {
    CAPTURE(parameter.name);
    for (Index i = 0; i < width; ++i) {
      CHECK(gradient_error(parameter.value[i], parameter.gradient[i], loss) <
            GradientTolerance().error);
    }
  }
}
