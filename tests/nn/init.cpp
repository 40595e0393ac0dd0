#include "nn/init.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <numbers>

using rlt::Index;
using rlt::Init;
using rlt::Rng;

namespace {

std::vector<double> filled(const Init& init, const std::vector<Index>& shape) {
  Index count = 1;
  for (const Index side : shape) count *= side;
  std::vector<double> values(static_cast<std::size_t>(count));
  init(Rng(5), shape, values);
  return values;
}

}  // namespace

TEST_CASE(
    "init: orthogonal rows or columns, whichever are fewer, have length gain and no overlap") {
  constexpr double gain = 1.5;
  for (const auto& [rows, cols] : {std::pair<Index, Index>{7, 4}, {4, 7}, {5, 5}, {1, 3}}) {
    const std::vector<double> w = filled(rlt::init::orthogonal(gain), {rows, cols});
    const Index vectors = std::min(rows, cols);
    const Index size = std::max(rows, cols);
    const auto entry = [&, rows = rows, cols = cols](Index vector, Index i) {
      return rows <= cols ? w[vector * cols + i] : w[i * cols + vector];
    };
    for (Index a = 0; a < vectors; ++a) {
      for (Index b = 0; b < vectors; ++b) {
        double product = 0;
        for (Index i = 0; i < size; ++i) product += entry(a, i) * entry(b, i);
        CHECK(product == doctest::Approx(a == b ? gain * gain : 0).epsilon(1e-12));
      }
    }
  }
}

TEST_CASE("init: a truncated normal stays within two deviations and has the variance left inside") {
  const std::vector<double> values = filled(rlt::init::truncated_normal(3), {100'000});
  double squares = 0;
  for (const double value : values) {
    REQUIRE(std::abs(value) <= 6);
    squares += value * value;
  }
  // 1 - 2 a phi(a) / (2 Phi(a) - 1) at a = 2
  const double density = std::exp(-2.0) / std::sqrt(2 * std::numbers::pi);
  const double variance = 1 - 4 * density / std::erf(std::numbers::sqrt2);
  CHECK(squares / 100'000 == doctest::Approx(9 * variance).epsilon(0.02));
}

TEST_CASE("init: identity puts its scale on the diagonal of every matrix") {
  CHECK(filled(rlt::init::identity(2), {2, 2, 3}) ==
        std::vector<double>{2, 0, 0, 0, 2, 0, 2, 0, 0, 0, 2, 0});
}

TEST_CASE("init: LeCun's normal has deviation 1 / sqrt(inputs) after the cut, at two deviations") {
  const std::vector<double> values = filled(rlt::init::lecun_normal(), {2, 25, 2000});
  double squares = 0;
  for (const double value : values) {
    REQUIRE(std::abs(value) <= 2 / (std::sqrt(50.0) * 0.8796));
    squares += value * value;
  }
  CHECK(squares / 100'000 == doctest::Approx(1 / 50.0).epsilon(0.02));
}
