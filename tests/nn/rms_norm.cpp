#include "nn/rms_norm.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "base/gradient_check.hpp"
#include "support/numbers.hpp"

using namespace rlt;
using Numbers = std::vector<double>;

namespace {

/// The norm of `rows` rows of `width` numbers, gains away from 1.
struct Subject {
  Index rows, width;
  ParameterSet<double> parameters;
  RmsNorm<double> norm;
  Workspace workspace;

  Subject(Index rows_, Index width_) : rows(rows_), width(width_) {
    norm.declare(parameters, "norm", width);
    parameters.allocate();
    for (Index i = 0; i < width; ++i) gain().value[i] = 1 + 0.3 * std::sin(static_cast<double>(i));
    norm.carve(workspace, rows);
    workspace.allocate();
    norm.carve(workspace, rows);
  }
  const Parameter<double>& gain() { return parameters.all()[0]; }
  Matrix<double> matrix(Numbers& values) const { return {values.data(), rows, width}; }
  Numbers forward(Numbers& x) {
    Numbers y(x.size());
    norm.forward(matrix(x), matrix(y));
    return y;
  }
};

}  // namespace

TEST_CASE("rms norm: a row is divided by the root of its mean square plus 1e-6, then multiplied") {
  for (const double size : {1.0, 1e-3}) {  // epsilon shows where numbers are small
    Subject subject(5, 11);
    Numbers x = support::numbers(5 * 11, 1);
    for (double& value : x) value *= size;
    const Numbers y = subject.forward(x);
    for (Index row = 0; row < 5; ++row) {
      double squares = 0;
      for (Index c = 0; c < 11; ++c) squares += x[row * 11 + c] * x[row * 11 + c] / 11;
      for (Index c = 0; c < 11; ++c) {
        const double expected =
            x[row * 11 + c] / std::sqrt(squares + 1e-6) * subject.gain().value[c];
        CHECK(y[row * 11 + c] == doctest::Approx(expected).epsilon(1e-13));
      }
    }
  }
}

TEST_CASE("rms norm: gradients equal central differences, the residual is added, dx may be dy") {
  // Widths around that of a vector; the rows make several parts of several blocks.
  for (const auto& [rows, width, size] :
       {std::tuple<Index, Index, double>{3, 1, 1}, {5, 7, 1}, {7, 8, 1e-3}, {461, 19, 1}}) {
    CAPTURE(width);
    Subject subject(rows, width);
    Numbers x = support::numbers(rows * width, 1);
    for (double& value : x) value *= size;
    const Numbers probe = support::numbers(rows * width, 2);
    const auto loss = [&] {
      const Numbers y = subject.forward(x);
      double sum = 0;
      for (std::size_t i = 0; i < y.size(); ++i) sum += y[i] * probe[i];
      return sum;
    };
    loss();
    Numbers dx(x.size(), 9.0);
    Numbers dy = probe;
    subject.norm.backward(subject.matrix(x), subject.matrix(dy), nullptr, subject.matrix(dx));
    for (std::size_t i = 0; i<x.size(); i += x.size()> 500 ? 97 : 1) {
      CHECK(gradient_error(x[i], dx[i], loss) < GradientTolerance().error);
    }
    for (Index i = 0; i < width; ++i) {
      CHECK(gradient_error(subject.gain().value[i], subject.gain().gradient[i], loss) <
            GradientTolerance().error);
    }
    Numbers residual = support::numbers(rows * width, 3);
    subject.norm.backward(subject.matrix(x), subject.matrix(dy), residual.data(),
                          subject.matrix(dy));
    for (std::size_t i = 0; i < x.size(); ++i) {
      CHECK(dy[i] == doctest::Approx(dx[i] + residual[i]).epsilon(1e-12));
    }
  }
}
