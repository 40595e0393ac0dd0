#include "nn/layer_norm.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "base/gradient_check.hpp"
#include "support/cell_fixture.hpp"

namespace {

using rlt::Index;
using rlt::Matrix;
using Numbers = std::vector<double>;
using support::largest_difference;

Numbers numbers(Index count, double phase) {
  Numbers values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = std::sin(phase + 1.3 * static_cast<double>(i));
  }
  return values;
}

// The norm of `rows` rows of `width` numbers, parameters away from 1 and 0.
struct Subject {
  Index rows, width;
  rlt::ParameterSet<double> parameters;
  rlt::LayerNorm<double> norm;
  rlt::Workspace workspace;

  Subject(Index rows_, Index width_, double epsilon = 1e-5) : rows(rows_), width(width_) {
    norm.declare(parameters, "norm", width, epsilon);
    parameters.allocate();
    for (Index i = 0; i < width; ++i) {
      gain().value[i] = 1 + 0.3 * std::sin(static_cast<double>(i));
      bias().value[i] = 0.2 * std::cos(static_cast<double>(i));
    }
    norm.carve(workspace, rows);
    workspace.allocate();
    norm.carve(workspace, rows);
  }

  const rlt::Parameter<double>& gain() { return parameters.all()[0]; }
  const rlt::Parameter<double>& bias() { return parameters.all()[1]; }
  Matrix<double> matrix(Numbers& values) { return {values.data(), rows, width}; }

  double loss(Numbers& x, const Numbers& probe) {
    Numbers y(x.size());
    norm.forward(matrix(x), matrix(y));
    double sum = 0;
    for (std::size_t i = 0; i < y.size(); ++i) sum += y[i] * probe[i];
    return sum;
  }
};

}  // namespace

TEST_CASE("layer norm: every row comes out with the mean and the deviation that were asked for") {
  Subject subject(19, 11);
  for (Index i = 0; i < subject.width; ++i) {
    subject.gain().value[i] = 3;
    subject.bias().value[i] = 5;
  }
  Numbers x = numbers(19 * 11, 0.1);
  Numbers y(x.size());
  subject.norm.forward(subject.matrix(x), subject.matrix(y));
  for (std::size_t row = 0; row < 19; ++row) {
    double mean = 0;
    double square = 0;
    for (std::size_t i = row * 11; i < (row + 1) * 11; ++i) {
      mean += y[i] / 11;
      square += (y[i] - 5) * (y[i] - 5) / 11;
    }
    CHECK(std::abs(mean - 5) < 1e-12);
    CHECK(std::abs(square - 9) < 1e-3);  // epsilon beside the variance
  }
}

// x = (-1, 1): mean 0, variance 1, so y = gain x / sqrt(1 + epsilon) + bias.
TEST_CASE("layer norm: epsilon is added to the variance") {
  for (const double epsilon : {1e-6, 3.0}) {
    Subject subject(1, 2, epsilon);
    Numbers x = {-1, 1};
    Numbers y(2);
    subject.norm.forward(subject.matrix(x), subject.matrix(y));
    for (Index i = 0; i < 2; ++i) {
      const double expected =
          subject.gain().value[i] * x[i] / std::sqrt(1 + epsilon) + subject.bias().value[i];
      CHECK(std::abs(y[i] - expected) < 1e-14);
    }
  }
}

// Sizes on both sides of tiles, blocks and parts.
TEST_CASE("layer norm: gradients equal central differences, with a residual and in place") {
  for (const Index rows : {1, 17, 300}) {
    for (const Index width : {3, 8, 21}) {
      CAPTURE(rows);
      CAPTURE(width);
      Subject subject(rows, width);
      Numbers x = numbers(rows * width, 0.4);
      const Numbers probe = numbers(rows * width, 0.9);
      const auto loss = [&] { return subject.loss(x, probe); };
      const Numbers residual = numbers(rows * width, 2.2);
      loss();
      Numbers dy = probe;
      Numbers dx(x.size());
      subject.norm.backward(subject.matrix(x), subject.matrix(dy), residual.data(),
                            subject.matrix(dx));
      const auto check = [&](double& entry, double gradient) {
        CHECK(rlt::gradient_error(entry, gradient, loss) < rlt::GradientTolerance().error);
      };
      for (std::size_t i = 0; i < x.size(); i += 37) check(x[i], dx[i] - residual[i]);
      for (Index i = 0; i < width; ++i) {
        check(subject.gain().value[i], subject.gain().gradient[i]);
        check(subject.bias().value[i], subject.bias().gradient[i]);
      }
      loss();
      subject.norm.backward(subject.matrix(x), subject.matrix(dy), residual.data(),
                            subject.matrix(dy));
      CHECK(largest_difference(dy, dx) == 0);
    }
  }
}
