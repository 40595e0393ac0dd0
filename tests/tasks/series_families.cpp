#include "tasks/series_families.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

using namespace rlt;

namespace {

/// The place of the window of `width` values with the largest sum times `sign`.
Index place_of(const std::vector<float>& values, Index width, float sign) {
  Index best = 0;
  float largest = -1e30F;
  for (Index at = 0; at + width <= std::ssize(values); ++at) {
    float sum = 0;
    for (Index t = at; t < at + width; ++t) sum += sign * values[t];
    if (sum > largest) {
      largest = sum;
      best = at;
    }
  }
  return best;
}

std::vector<float> sorted(std::vector<float> values) {
  std::ranges::sort(values);
  return values;
}

}  // namespace

TEST_CASE(
    "series families: order: both classes hold the same values, step by step of each channel") {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const std::vector<float> up_first = order_series(Rng(seed), 47, 3, 0);
    const std::vector<float> down_first = order_series(Rng(seed), 47, 3, 1);
    CHECK(up_first.size() == 47 * 3);
    CHECK(up_first != down_first);
    CHECK(sorted(up_first) == sorted(down_first));
    // A step is a vector: the set of vectors must not tell either.
    std::vector<std::vector<float>> steps[2];
    for (Index t = 0; t < 47; ++t) {
      steps[0].emplace_back(up_first.begin() + 3 * t, up_first.begin() + 3 * t + 3);
      steps[1].emplace_back(down_first.begin() + 3 * t, down_first.begin() + 3 * t + 3);
    }
    for (auto& of_one : steps) std::ranges::sort(of_one);
    CHECK(steps[0] == steps[1]);
  }
}

TEST_CASE(
    "series families: order: who finds the motifs knows the class, and they stand everywhere") {
  constexpr Index length = 100, motif = 10;
  constexpr int count = 1000;
  int right = 0;
  double first_place = 0, second_place = 0;
  Index lowest = length, highest = 0;
  for (int i = 0; i < count; ++i) {
    const int label = i % 2;
    const std::vector<float> values =
        order_series(Rng(static_cast<std::uint64_t>(i)), length, 1, label);
    const Index up = place_of(values, motif, 1), down = place_of(values, motif, -1);
    right += (up < down) == (label == 0) ? 1 : 0;
    first_place += static_cast<double>(std::min(up, down)) / count;
    second_place += static_cast<double>(std::max(up, down)) / count;
    lowest = std::min({lowest, up, down});
    highest = std::max({highest, up, down});
  }
  CHECK(right > 0.99 * count);  // sum of a motif 12.8, of noise 1.6 deviation
  // Lesser and larger of two uniform places in 0 .. 80: 80 / 3 and 160 / 3, the latter behind the first motif.
  // Deviation of a mean 18.9 / sqrt(1000) = 0.6.
  CHECK(std::abs(first_place - 80.0 / 3) < 2);
  CHECK(std::abs(second_place - (160.0 / 3 + motif)) < 2);
  CHECK(lowest <= 2);
  CHECK(highest >= 88);
}

TEST_CASE("series families: order: the shortest series have room for both motifs") {
  for (Index length = shortest_family_series; length < 25; ++length) {
    CHECK(std::ssize(order_series(Rng(1), length, 2, 1)) == 2 * length);
  }
}

TEST_CASE("series families: energy: the variances are those stated, and order says nothing") {
  constexpr Index length = 200'000;
  for (const int label : {0, 1}) {
    const std::vector<float> values = energy_series(Rng(3), length, 2, label);
    REQUIRE(std::ssize(values) == 2 * length);
    double squares = 0, neighbours = 0;
    for (Index i = 0; i < 2 * length; ++i) squares += std::pow(values[i], 2);
    for (Index i = 2; i < 2 * length; ++i) neighbours += values[i] * values[i - 2];
    // Deviation of a mean square of 400,000 values: sqrt(2 / 400,000) = 0.22 %.
    CHECK(squares / (2 * length) == doctest::Approx(label == 0 ? 1 : 1.5625).epsilon(0.01));
    CHECK(std::abs(neighbours / squares) < 0.008);  // 5 / sqrt(400,000)
  }
}
