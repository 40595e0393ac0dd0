#include "nn/parameter.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

using rlt::Index;
using rlt::Init;
using rlt::Parameter;
using rlt::ParameterSet;

namespace {

constexpr Index many = 100'000;

template <typename T = double>
std::vector<T> drawn(const Init& init, std::uint64_t seed, const std::string& name = "w",
                     Index count = many) {
  ParameterSet<T> parameters;
  const Parameter<T>& parameter = parameters.add(name, {count}, init);
  parameters.allocate();
  parameters.initialize(seed);
  return {parameter.value, parameter.value + parameter.count()};
}

/// Mean of f(x).
template <typename F>
double mean(const std::vector<double>& values, const F& f) {
  double sum = 0;
  for (const double value : values) sum += f(value);
  return sum / static_cast<double>(values.size());
}

double correlation(const std::vector<double>& a, const std::vector<double>& b) {
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  return ab / std::sqrt(aa * bb);
}

}  // namespace

// Moments of 10^5 draws; the bounds are four standard deviations of such a mean, and the seed is fixed.
TEST_CASE("init: uniform fills its whole range and has the moments of it") {
  const std::vector<double> values = drawn(rlt::init::uniform(0.25), 1);
  const auto [low, high] = std::ranges::minmax(values);
  CHECK(low >= -0.25);
  CHECK(high < 0.25);
  CHECK(low < -0.2499);
  CHECK(high > 0.2499);
  CHECK(std::abs(mean(values, [](double x) { return x; })) < 4 * 0.25 / std::sqrt(3.0 * many));
  CHECK(mean(values, [](double x) { return x * x; }) ==
        doctest::Approx(0.0625 / 3).epsilon(4 * std::sqrt(0.8 / many)));
}

TEST_CASE("init: normal has the mean, the deviation, the symmetry and the tails asked for") {
  const std::vector<double> values = drawn(rlt::init::normal(2, 5), 1);
  const double n = static_cast<double>(many);
  const auto standard = [](double x) { return (x - 5) / 2; };
  CHECK(std::abs(mean(values, standard)) < 4 / std::sqrt(n));
  const auto power = [&](int p) {
    return mean(values, [&](double x) { return std::pow(standard(x), p); });
  };
  CHECK(std::abs(power(2) - 1) < 4 * std::sqrt(2 / n));
  CHECK(std::abs(power(3)) < 4 * std::sqrt(15 / n));
  CHECK(std::abs(power(4) - 3) < 4 * std::sqrt(96 / n));
  const double beyond =
      mean(values, [&](double x) { return std::abs(standard(x)) > 2 ? 1.0 : 0.0; });
  CHECK(std::abs(beyond - 0.0455) < 4 * std::sqrt(0.0455 / n));
}

TEST_CASE("init: a constant is the same everywhere") {
  CHECK(drawn(rlt::init::constant(-1.5), 1, "w", 5) == std::vector<double>(5, -1.5));
}

TEST_CASE("init: seeds and names give independent numbers, the same seed and name the same ones") {
  const std::vector<double> values = drawn(rlt::init::normal(1), 1);
  CHECK(drawn(rlt::init::normal(1), 1) == values);
  const double bound = 4 / std::sqrt(static_cast<double>(many));
  CHECK(std::abs(correlation(values, drawn(rlt::init::normal(1), 2))) < bound);
  CHECK(std::abs(correlation(values, drawn(rlt::init::normal(1), 1, "v"))) < bound);
  CHECK(std::abs(correlation(values, drawn(rlt::init::normal(1), 1, "w.weight"))) < bound);
  // neighbours
  const std::vector<double> left(values.begin(), values.end() - 1);
  const std::vector<double> right(values.begin() + 1, values.end());
  CHECK(std::abs(correlation(left, right)) < bound);
}

TEST_CASE("init: float starts are the double ones rounded, whatever else is declared") {
  const std::vector<double> exact = drawn(rlt::init::normal(1), 3, "b", 50);
  ParameterSet<float> parameters;
  parameters.add("a", {7}, rlt::init::uniform(1));
  const Parameter<float>& b = parameters.add("b", {5, 10}, rlt::init::normal(1));
  parameters.allocate();
  parameters.initialize(3);
  for (Index i = 0; i < 50; ++i) CHECK(b.value[i] == static_cast<float>(exact[i]));
  b.value[4] = 99;
  parameters.initialize(3);
  CHECK(b.value[4] == static_cast<float>(exact[4]));
}

TEST_CASE("parameters: each begins on a cache line, and the gaps stay zero") {
  ParameterSet<float> parameters;
  const Parameter<float>& first = parameters.add("first", {3, 7}, rlt::init::constant(1));
  for (int i = 0; i < 100; ++i) parameters.add("m" + std::to_string(i), {1}, rlt::init::normal(1));
  parameters.add("last", {2, 3, 4}, rlt::init::constant(2));
  parameters.allocate();
  parameters.initialize(1);
  CHECK(first.name == "first");  // the reference outlived a hundred others
  CHECK(first.count() == 21);
  CHECK(parameters.count() == 21 + 100 + 24);
  std::vector<bool> owned(static_cast<std::size_t>(parameters.flat_size()), false);
  for (const Parameter<float>& parameter : parameters.all()) {
    CHECK(reinterpret_cast<std::uintptr_t>(parameter.value) % rlt::memory_alignment == 0);
    CHECK(reinterpret_cast<std::uintptr_t>(parameter.gradient) % rlt::memory_alignment == 0);
    CHECK(parameter.value == parameters.values() + parameter.offset);
    CHECK(parameter.gradient == parameters.gradients() + parameter.offset);
    for (Index i = 0; i < parameter.count(); ++i) {
      CHECK(!owned[parameter.offset + i]);
      owned[parameter.offset + i] = true;
    }
  }
  for (Index i = 0; i < parameters.flat_size(); ++i) {
    if (!owned[i]) CHECK(parameters.values()[i] == 0);
    CHECK(parameters.gradients()[i] == 0);
  }
}

TEST_CASE("parameters: gradients are zeroed to the last one, values stay") {
  ParameterSet<double> parameters;
  parameters.add("w", {40'003}, rlt::init::constant(3));  // more than one block of the buffer
  parameters.allocate();
  parameters.initialize(1);
  std::fill_n(parameters.gradients(), parameters.flat_size(), 1.0);
  parameters.zero_gradients();
  const double* const gradients = parameters.gradients();
  CHECK(
      std::all_of(gradients, gradients + parameters.flat_size(), [](double g) { return g == 0; }));
  CHECK(parameters.values()[40'002] == 3);
}

TEST_CASE("parameters: one that layers share is there once") {
  ParameterSet<double> parameters;
  rlt::Parameter<double>& first = parameters.share("u", {2, 3}, rlt::init::constant(1));
  parameters.add("w", {3}, rlt::init::constant(2));
  CHECK(&parameters.share("u", {2, 3}, rlt::init::constant(1)) == &first);
  CHECK(parameters.all().size() == 2);
  CHECK(parameters.count() == 9);
}
