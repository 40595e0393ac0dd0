#include "nn/linear.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace {

using rlt::Index;
using Numbers = std::vector<double>;

Numbers numbers(Index count, double phase) {
  Numbers values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = std::sin(phase + 1.7 * static_cast<double>(i));
  }
  return values;
}

// (m, k) times (k, n), entry by entry
Numbers times(const Numbers& a, const Numbers& b, Index m, Index k, Index n) {
  Numbers c(static_cast<std::size_t>(m * n));
  for (Index i = 0; i < m; ++i) {
    for (Index j = 0; j < k; ++j) {
      for (Index l = 0; l < n; ++l) {
        c[static_cast<std::size_t>(i * n + l)] +=
            a[static_cast<std::size_t>(i * k + j)] * b[static_cast<std::size_t>(j * n + l)];
      }
    }
  }
  return c;
}

Numbers turned(const Numbers& a, Index m, Index n) {
  Numbers result(a.size());
  for (Index i = 0; i < m; ++i) {
    for (Index j = 0; j < n; ++j) {
      result[static_cast<std::size_t>(j * m + i)] = a[static_cast<std::size_t>(i * n + j)];
    }
  }
  return result;
}

double largest_difference(const Numbers& a, const Numbers& b) {
  REQUIRE(a.size() == b.size());
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

}  // namespace

// Sizes on both sides of the pieces that products are cut into: tiles of 64, parts of 128 rows and more.
TEST_CASE("linear: values and gradients of every shape are those of the definition") {
  for (const Index rows : {1, 7, 63, 129, 300, 1111}) {
    for (const auto& [in, out] : {std::pair<Index, Index>{1, 1}, {5, 70}, {64, 196}, {130, 129}}) {
      CAPTURE(rows);
      CAPTURE(in);
      CAPTURE(out);
      rlt::ParameterSet<double> parameters;
      rlt::Linear<double> linear;
      linear.declare(parameters, "map", in, out, rlt::Bias::uniform);
      parameters.allocate();
      parameters.initialize(1);
      rlt::Workspace workspace;
      linear.carve(workspace, rows);
      workspace.allocate();
      linear.carve(workspace, rows);
      const rlt::Parameter<double>& weight = parameters.all()[0];
      const rlt::Parameter<double>& bias = parameters.all()[1];
      const Numbers w(weight.value, weight.value + in * out);
      const Numbers x = numbers(rows * in, 0.3);
      const Numbers dy = numbers(rows * out, 0.8);

      Numbers y(static_cast<std::size_t>(rows * out));
      linear.forward({x.data(), rows, in}, {y.data(), rows, out});
      Numbers expected = times(x, w, rows, in, out);
      for (std::size_t i = 0; i < y.size(); ++i) {
        expected[i] += bias.value[i % static_cast<std::size_t>(out)];
      }
      CHECK(largest_difference(y, expected) < 1e-10);

      Numbers dx(x.size());
      linear.backward({x.data(), rows, in}, {dy.data(), rows, out}, {dx.data(), rows, in});
      CHECK(largest_difference(dx, times(dy, turned(w, in, out), rows, out, in)) < 1e-10);
      CHECK(largest_difference(Numbers(weight.gradient, weight.gradient + in * out),
                               times(turned(x, rows, in), dy, in, rows, out)) < 1e-10);
      CHECK(largest_difference(
                Numbers(bias.gradient, bias.gradient + out),
                times(Numbers(static_cast<std::size_t>(rows), 1.0), dy, 1, rows, out)) < 1e-10);
    }
  }
}
