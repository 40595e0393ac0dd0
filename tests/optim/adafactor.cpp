#include "optim/adafactor.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "optim/optimizer.hpp"
#include "support/numbers.hpp"

using namespace rlt;
using Numbers = std::vector<double>;

namespace {

/// The update once more, with whole matrices: second moments R 1^T and 1 S^T.
struct Plain {
  Index rows, cols;
  Numbers w, m, r, s;

  Plain(Index rows_, Index cols_, Numbers start)
      : rows(rows_),
        cols(cols_),
        w(std::move(start)),
        m(w.size(), 0.0),
        r(w.size(), 0.0),
        s(w.size(), 0.0) {}

  static double mean(const Numbers& values) {
    double sum = 0;
    for (const double value : values) sum += value / static_cast<double>(values.size());
    return sum;
  }
  static double rms(Numbers values) {
    for (double& value : values) value *= value;
    return std::sqrt(mean(values));
  }
  void update(const Numbers& g, Index step, double beta1, double rate) {
    const double d = 1 - std::pow(static_cast<double>(step), -0.8);
    Numbers u(g.size());
    for (Index i = 0; i < rows; ++i) {
      for (Index j = 0; j < cols; ++j) {
        Numbers across, down;
        for (Index l = 0; l < cols; ++l)
          across.push_back(g[i * cols + l] * g[i * cols + l] + 1e-30);
        for (Index l = 0; l < rows; ++l) down.push_back(g[l * cols + j] * g[l * cols + j] + 1e-30);
        r[i * cols + j] = d * r[i * cols + j] + (1 - d) * mean(across);
        s[i * cols + j] = d * s[i * cols + j] + (1 - d) * mean(down);
      }
    }
    for (std::size_t i = 0; i < g.size(); ++i) {
      const double factored = r[i] * s[i] / mean(r);
      u[i] = g[i] / std::sqrt(rows > 1 && cols > 1 ? factored : rows > 1 ? r[i] : s[i]);
    }
    const double clip = std::max(1.0, rms(u));
    const double size = std::max(1e-3, rms(w));
    for (std::size_t i = 0; i < g.size(); ++i) {
      m[i] = beta1 * m[i] + (1 - beta1) * rate * size * u[i] / clip;
      w[i] -= m[i];
    }
  }
};

}  // namespace

TEST_CASE("adafactor: steps of matrices and vectors equal a plain implementation") {
  ParameterSet<double> parameters;
  parameters.add("matrix", {5, 7}, init::normal(1));
  parameters.add("vector", {11}, init::normal(1));
  parameters.add("small", {3}, init::normal(1e-5));  // its size counts as 1e-3
  parameters.add("heads", {2, 3, 4}, init::normal(1));
  parameters.allocate();
  parameters.initialize(1);
  const auto start = [&](Index i) {
    const Parameter<double>& parameter = parameters.all()[static_cast<std::size_t>(i)];
    return Numbers(parameter.value, parameter.value + parameter.count());
  };
  std::vector<Plain> plain = {
      {5, 7, start(0)}, {1, 11, start(1)}, {1, 3, start(2)}, {6, 4, start(3)}};
  Optimizer<double> optimizer({.kind = "adafactor"}, parameters.flat_size());
  for (Index step = 1; step <= 6; ++step) {
    // sudden growth: the update of step 4 would be large and is clipped
    const double size = step == 4 ? 100 : 1;
    for (std::size_t i = 0; i < plain.size(); ++i) {
      const Parameter<double>& parameter = parameters.all()[i];
      Numbers g = support::numbers(parameter.count(), static_cast<std::uint64_t>(10 * step) + i);
      for (double& value : g) value *= size;
      std::ranges::copy(g, parameter.gradient);
      plain[i].update(g, step, 0.9, 0.03);
    }
    optimizer.update(parameters, step, 0.03);
    for (std::size_t i = 0; i < plain.size(); ++i) {
      CAPTURE(parameters.all()[i].name);
      CHECK(support::largest_difference(start(static_cast<Index>(i)), plain[i].w) < 1e-13);
    }
  }
}

TEST_CASE("adafactor: the first step is the rate times the size of a parameter, times 1 - beta1") {
  ParameterSet<double> parameters;
  parameters.add("vector", {2}, init::constant(2));
  parameters.allocate();
  parameters.initialize(1);
  const Parameter<double>& w = parameters.all()[0];
  w.gradient[0] = 1e-3;
  w.gradient[1] = -1e6;
  Optimizer<double> optimizer({.kind = "adafactor", .beta1 = 0.75}, parameters.flat_size());
  optimizer.update(parameters, 1, 0.1);
  CHECK(w.value[0] == doctest::Approx(2 - 0.25 * 0.1 * 2).epsilon(1e-12));
  CHECK(w.value[1] == doctest::Approx(2 + 0.25 * 0.1 * 2).epsilon(1e-12));
}

TEST_CASE("adafactor: its memory goes on bit for bit") {
  const auto fill = [](ParameterSet<float>& parameters, Index step) {
    for (const Parameter<float>& parameter : parameters.all()) {
      const Numbers g = support::numbers(parameter.count(), static_cast<std::uint64_t>(step));
      std::transform(g.begin(), g.end(), parameter.gradient,
                     [](double value) { return static_cast<float>(value); });
    }
  };
  ParameterSet<float> through;
  ParameterSet<float> resumed;
  for (ParameterSet<float>* const parameters : {&through, &resumed}) {
    parameters->add("matrix", {9, 4}, init::normal(1));
    parameters->add("vector", {5}, init::normal(1));
    parameters->allocate();
    parameters->initialize(1);
  }
  Optimizer<float> one({.kind = "adafactor"}, through.flat_size());
  Optimizer<float> other({.kind = "adafactor"}, through.flat_size());
  for (Index step = 1; step <= 5; ++step) {
    if (step == 3) {
      std::copy_n(through.values(), through.flat_size(), resumed.values());
      for (std::size_t i = 0; i < one.moments().size(); ++i) {
        std::ranges::copy(one.moments()[i].values, other.moments()[i].values.begin());
      }
    }
    fill(through, step);
    one.update(through, step, 0.1);
    if (step < 3) continue;
    fill(resumed, step);
    other.update(resumed, step, 0.1);
  }
  CHECK(std::equal(through.values(), through.values() + through.flat_size(), resumed.values()));
}
