#include "model/head.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "base/gradient_check.hpp"
#include "support/numbers.hpp"

using namespace rlt;
using Numbers = std::vector<double>;

namespace {

constexpr Index rows = 5;
constexpr Index width = 4;

struct Subject {
  HeadConfig config;
  ParameterSet<double> parameters;
  Head<double> head;
  Workspace workspace;

  explicit Subject(Index hidden) : Subject(HeadConfig{"actor", 3, hidden}) {}
  explicit Subject(const HeadConfig& config_) : config(config_), head(config, width) {
    if (config.tied) parameters.add("embedding.weight", {config.outputs, width}, init::normal(1));
    head.declare(parameters);
    parameters.allocate();
    parameters.initialize(1);
    head.carve(workspace, rows);
    workspace.allocate();
    head.carve(workspace, rows);
  }
  Numbers outputs(Numbers& h) {
    Numbers y(static_cast<std::size_t>(rows * config.outputs));
    head.forward({h.data(), rows, width}, {y.data(), rows, config.outputs});
    return y;
  }
};

}  // namespace

TEST_CASE(
    "head: tanh between two maps, whose matrices start orthogonal times sqrt(2), biases at 0") {
  Subject subject(6);
  CHECK(subject.parameters.all()[0].name == "actor.hidden.weight");
  CHECK(subject.parameters.all()[3].name == "actor.out.bias");
  const double* const w = subject.parameters.all()[0].value;
  // (4, 6): orthonormal rows
  for (Index i = 0; i < width; ++i) {
    for (Index j = 0; j < width; ++j) {
      double dot = 0;
      for (Index k = 0; k < 6; ++k) dot += w[i * 6 + k] * w[j * 6 + k];
      CHECK(dot == doctest::Approx(i == j ? 2 : 0).epsilon(1e-12));
    }
  }
  Numbers h = support::numbers(rows * width, 2);
  const Numbers y = subject.outputs(h);
  const double* const out = subject.parameters.all()[2].value;
  for (Index row = 0; row < rows; ++row) {
    for (Index o = 0; o < 3; ++o) {
      double expected = 0;
      for (Index k = 0; k < 6; ++k) {
        double a = 0;
        for (Index i = 0; i < width; ++i) a += h[row * width + i] * w[i * 6 + k];
        expected += std::tanh(a) * out[k * 3 + o];
      }
      CHECK(y[row * 3 + o] == doctest::Approx(expected).epsilon(1e-12));
    }
  }
}

TEST_CASE("head: tied, its outputs are products with the rows of the table; the scale multiplies") {
  Subject subject({.name = "a", .outputs = 3, .tied = true, .scale = 0.25});
  CHECK(subject.parameters.all().size() == 1);
  Numbers h = support::numbers(rows * width, 2);
  const Numbers y = subject.outputs(h);
  const double* const table = subject.parameters.all()[0].value;
  for (Index row = 0; row < rows; ++row) {
    for (Index o = 0; o < 3; ++o) {
      double expected = 0;
      for (Index i = 0; i < width; ++i) expected += h[row * width + i] * table[o * width + i];
      CHECK(y[row * 3 + o] == doctest::Approx(0.25 * expected).epsilon(1e-12));
    }
  }
}

TEST_CASE("head: gradients equal central differences, with and without a hidden layer") {
  for (const HeadConfig& config :
       {HeadConfig{"a", 3}, HeadConfig{"a", 3, 6},
        HeadConfig{.name = "a", .outputs = 3, .scale = 0.3},
        HeadConfig{.name = "a", .outputs = 3, .tied = true},
        HeadConfig{.name = "a", .outputs = 3, .tied = true, .scale = 0.3}}) {
    CAPTURE(config.hidden);
    CAPTURE(config.tied);
    CAPTURE(config.scale);
    Subject subject(config);
    Numbers h = support::numbers(rows * width, 2);
    Numbers probe = support::numbers(rows * 3, 7);
    const auto loss = [&] {
      const Numbers y = subject.outputs(h);
      double sum = 0;
      for (std::size_t i = 0; i < y.size(); ++i) sum += y[i] * probe[i];
      return sum;
    };
    loss();
    Numbers dh(h.size(), 9.0);
    subject.head.backward({h.data(), rows, width}, {probe.data(), rows, 3},
                          {dh.data(), rows, width});
    for (std::size_t i = 0; i < h.size(); ++i) {
      CHECK(gradient_error(h[i], dh[i], loss) < GradientTolerance().error);
    }
    for (const Parameter<double>& parameter : subject.parameters.all()) {
      CAPTURE(parameter.name);
      for (Index i = 0; i < parameter.count(); ++i) {
        CHECK(gradient_error(parameter.value[i], parameter.gradient[i], loss) <
              GradientTolerance().error);
      }
    }
  }
}
