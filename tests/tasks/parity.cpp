#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tasks/task.hpp"

using namespace rlt;

namespace {

constexpr int count = 20'000;

struct Statistics {
  double mean_length = 0, at_cap = 0, end_in_one = 0, odd = 0;
};

Statistics statistics(const char* rule, Window window) {
  const auto task = make_task("parity", {.rule = rule, .data = {}, .options = {}});
  Draws draws(Rng(17));
  Example example;
  Statistics sum;
  for (int i = 0; i < count; ++i) {
    task->draw(draws, window, example);
    const Index length = std::ssize(example.tokens);
    sum.mean_length += static_cast<double>(length) / count;
    sum.at_cap += (length == window.high ? 1.0 : 0.0) / count;
    sum.end_in_one += static_cast<double>(example.tokens.back()) / count;
    sum.odd += std::accumulate(example.tokens.begin(), example.tokens.end(), 0) % 2;
  }
  return sum;
}

/// Mean length under the paper rule in closed form: the length before the last step is geometric,
/// one string in two is odd and gets one symbol more, or at the cap is rejected.
double paper_mean_length(Window window) {
  const auto middle = static_cast<double>((window.low + window.high) / 2);
  const double go_on = middle / (1.0 + middle);
  double weight = 0, sum = 0;
  for (Index l = window.low; l <= window.high; ++l) {
    const auto length = static_cast<double>(l);
    const bool cap = l == window.high;
    const double p = std::pow(go_on, length) * (cap ? 0.5 : 1.0 - go_on);
    weight += p;
    sum += p * (length + (cap ? 0.0 : 0.5));
  }
  return sum / weight;
}

}  // namespace

TEST_CASE("parity: the paper rule has even totals, a bent length distribution and ends in 1") {
  const Statistics bin0 = statistics("paper", {2, 50});
  CHECK(bin0.odd == 0);
  CHECK(bin0.mean_length == doctest::Approx(paper_mean_length({2, 50})).epsilon(0.02));
  CHECK(bin0.at_cap == doctest::Approx(0.09).epsilon(0.1));
  CHECK(bin0.end_in_one == doctest::Approx(0.74).epsilon(0.03));
  const Statistics bin1 = statistics("paper", {51, 100});
  CHECK(bin1.odd == 0);
  CHECK(bin1.mean_length == doctest::Approx(82.0).epsilon(0.01));
  CHECK(bin1.at_cap == doctest::Approx(0.36).epsilon(0.03));
  CHECK(bin1.end_in_one == doctest::Approx(0.68).epsilon(0.04));
}

TEST_CASE("parity: the honest rule is fair in lengths, totals and last bits") {
  const Statistics honest = statistics("honest", {2, 50});
  CHECK(honest.mean_length == doctest::Approx(26.0).epsilon(0.02));
  CHECK(honest.at_cap == doctest::Approx(1.0 / 49).epsilon(0.2));
  CHECK(honest.end_in_one == doctest::Approx(0.5).epsilon(0.03));
  CHECK(honest.odd / count == doctest::Approx(0.5).epsilon(0.03));
}

TEST_CASE("parity: an exact length under the paper rule has an even total of fair bits") {
  const auto task = make_task("parity", {});
  Draws draws(Rng(5));
  Example example;
  int ones = 0;
  for (int i = 0; i < 301; ++i) {
    task->draw_exact(draws, 101, example);
    const int sum = std::accumulate(example.tokens.begin(), example.tokens.end(), 0);
    REQUIRE(sum % 2 == 0);
    ones += sum;
  }
  CHECK(ones / (301.0 * 101.0) == doctest::Approx(0.5).epsilon(0.02));
}
