#include "train/baselines.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "train/dataset.hpp"

using namespace rlt;

namespace {

Baselines of_bin(const char* name, const char* rule, Window window) {
  const auto task = make_task(name, {.rule = rule, .data = {}, .options = {}});
  return window_baselines(*task, window, evaluation_set(*task, window, 1000, 1), 1);
}

}  // namespace

TEST_CASE("baselines: a set small enough to count by hand") {
  // majority by (length, position): length 2 -> 1, 0 (tie: smaller); length 3 unseen -> overall 1
  const std::vector<Example> fitted = {{{0, 0}, {1, 0}}, {{0, 0}, {1, 1}}, {{0}, {2}}, {{1}, {2}}};
  const std::vector<Example> scored = {
      {{0, 0}, {1, 0}}, {{0, 0}, {1, 1}}, {{0}, {2}}, {{0, 0, 0}, {1, not_scored, 1}}};
  const Baselines result = measure_baselines(scored, fitted, {3});
  CHECK(result.chance.token == doctest::Approx(1.0 / 3));
  CHECK(result.chance.sequence == doctest::Approx((1.0 / 9 + 1.0 / 9 + 1.0 / 3 + 1.0 / 9) / 4));
  CHECK(result.best_constant.token == doctest::Approx(5.0 / 7));
  CHECK(result.best_constant.sequence == doctest::Approx(2.0 / 4));
  CHECK(result.position_majority.token == doctest::Approx(6.0 / 7));
  CHECK(result.position_majority.sequence == doctest::Approx(3.0 / 4));
  CHECK(measure_baselines({}, fitted, {3}).chance.token == 0.0);
}

TEST_CASE("baselines: a length that was not fitted falls back to the most frequent class of all") {
  const std::vector<Example> fitted = {{{0, 0, 0}, {1, 1, 0}}};
  const Baselines result = measure_baselines({{{0, 0, 0, 0}, {1, 0, 1, 1}}}, fitted, {2});
  CHECK(result.position_majority.token == doctest::Approx(0.75));
}

TEST_CASE("baselines: where one string has each length, the position tells all") {
  for (const char* name : {"aa_star", "abab_star", "anbn", "anbncn"}) {
    for (const char* rule : {"paper", "honest"}) {
      const Baselines result = of_bin(name, rule, {2, 50});
      CHECK(result.position_majority.token == 1.0);
      CHECK(result.position_majority.sequence == 1.0);
      CHECK(result.best_constant.token < 0.8);
    }
  }
}

TEST_CASE("baselines: on parity of fair bits nothing trivial beats a coin") {
  const Baselines result = of_bin("parity", "honest", {51, 100});
  CHECK(result.chance.token == 0.5);
  CHECK(result.best_constant.token == doctest::Approx(0.5).epsilon(0.02));
  CHECK(result.position_majority.token == doctest::Approx(0.5).epsilon(0.02));
  CHECK(result.position_majority.sequence == 0.0);
  CHECK(result.chance.sequence < std::pow(2.0, -50));
}

TEST_CASE("baselines: the paper's parity gives the last label away, an exact length does too") {
  const auto task = make_task("parity", {});
  const auto scored = exact_set(*task, 31, 500, 1);
  const Baselines result = exact_baselines(*task, 31, scored, 1);
  CHECK(result.position_majority.token == doctest::Approx((30 * 0.5 + 1.0) / 31).epsilon(0.02));
}

TEST_CASE("baselines: one bracket is open almost always, so a constant is nearly right per token") {
  const Baselines result = of_bin("dyck1", "paper", {2, 50});
  CHECK(result.best_constant.token > 0.9);
  CHECK(result.best_constant.sequence == 0.0);  // the last label is always 0
  CHECK(result.position_majority.sequence > 0.3);
}
