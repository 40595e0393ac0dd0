#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "tasks/task.hpp"
#include "tests/support/slow_labels.hpp"
#include "train/dataset.hpp"

using namespace rlt;

namespace {

std::string drawn(const Task& task, Index depth, std::uint64_t seed) {
  Draws draws(Rng(seed).stream("listops"));
  Example example;
  task.draw_exact(draws, depth, example);
  return test::text_of(example.tokens, task.info().inputs);
}

Index words_of(const std::string& text) { return 1 + std::count(text.begin(), text.end(), ' '); }

/// As the original does it: grows a tree without looking at its depth.
void append_tree(Draws& draws, int level, std::string& text) {
  if (level > 0 && draws.chance(0.75)) {
    text += static_cast<char>('0' + draws.below(10));
    return;
  }
  text += std::array{"[MIN", "[MAX", "[FIRST"}[static_cast<std::size_t>(draws.below(3))];
  for (Index i = draws.between(2, 5); i > 0; --i) {
    text += ' ';
    append_tree(draws, level + 1, text);
  }
  text += " ]";
}

std::string rejected_until(Draws& draws, int depth) {
  for (std::string text;; text.clear()) {
    append_tree(draws, 0, text);
    if (test::read_expression(text).depth == depth) return text;
  }
}

/// Mean and variance of a few properties of trees.
struct Moments {
  static constexpr std::size_t properties = 6;
  std::array<double, properties> mean{}, variance{};

  template <typename Draw>
  Moments(int count, Draw&& draw) {
    for (int i = 0; i < count; ++i) {
      const std::string text = draw(i);
      const test::Expression tree = test::read_expression(text);
      const auto words = static_cast<double>(words_of(text));
      const bool begins_deep = text[text.find(' ') + 1] == '[';
      const std::array<double, properties> values = {words,
                                                     words * words,
                                                     double(tree.operators),
                                                     double(tree.deepest),
                                                     double(tree.value),
                                                     double(begins_deep)};
      for (std::size_t p = 0; p < properties; ++p) {
        mean[p] += values[p] / count;
        variance[p] += values[p] * values[p] / count;
      }
    }
    for (std::size_t p = 0; p < properties; ++p) variance[p] -= mean[p] * mean[p];
  }
};

/// Lengths in words and classes of many strings of one depth.
struct Sample {
  double mean = 0;
  std::vector<Index> lengths;  // ascending
  std::array<double, 10> share{};

  Sample(Index depth, int count) {
    const auto task = make_task("listops", {});
    for (int i = 0; i < count; ++i) {
      const std::string text = drawn(*task, depth, static_cast<std::uint64_t>(i));
      lengths.push_back(words_of(text));
      mean += static_cast<double>(lengths.back()) / count;
      share[static_cast<std::size_t>(test::read_expression(text).value)] += 1.0 / count;
    }
    std::sort(lengths.begin(), lengths.end());
  }
  double quantile(double q) const {
    return static_cast<double>(
        lengths[static_cast<std::size_t>(q * static_cast<double>(lengths.size()))]);
  }
};

}  // namespace

TEST_CASE("listops: trees of a depth are those that rejection would leave") {
  const auto task = make_task("listops", {});
  for (const int depth : {1, 2, 4, 6}) {
    CAPTURE(depth);
    const int count = depth < 6 ? 20'000 : 6'000;
    Draws draws(Rng(3).stream(static_cast<std::uint64_t>(depth)));
    const Moments naive(count, [&](int) { return rejected_until(draws, depth); });
    const Moments direct(count, [&](int i) { return drawn(*task, depth, std::uint64_t(i)); });
    for (std::size_t p = 0; p < Moments::properties; ++p) {
      CAPTURE(p);
      const double error = std::sqrt((naive.variance[p] + direct.variance[p]) / count);
      CHECK(std::abs(naive.mean[p] - direct.mean[p]) <= 4 * error);
    }
  }
}

TEST_CASE("listops: lengths and labels at depth 10 and 15 are like the paper's") {
  const Sample ten(10, 6000), fifteen(15, 6000);
  CHECK(ten.mean == doctest::Approx(98).epsilon(0.03));
  CHECK(ten.quantile(0.5) == doctest::Approx(91).epsilon(0.04));
  CHECK(ten.quantile(0.1) == doctest::Approx(60).epsilon(0.04));
  CHECK(ten.quantile(0.9) == doctest::Approx(145).epsilon(0.04));
  // 600 strings of the paper's had 183, 167, 108, 277; 6000 by rejection have these
  CHECK(fifteen.mean == doctest::Approx(188).epsilon(0.03));
  CHECK(fifteen.quantile(0.5) == doctest::Approx(173).epsilon(0.04));
  CHECK(fifteen.quantile(0.1) == doctest::Approx(113).epsilon(0.04));
  CHECK(fifteen.quantile(0.9) == doctest::Approx(284).epsilon(0.04));
  for (const Sample* sample : {&ten, &fifteen}) {
    // MIN and MAX change places when every digit d becomes 9 - d, so that 0 and 9 are alike.
    CHECK(sample->share[9] == doctest::Approx(0.182).epsilon(0.1));
    CHECK(sample->share[0] == doctest::Approx(0.182).epsilon(0.1));
    for (std::size_t digit = 3; digit < 7; ++digit) {
      CHECK(sample->share[digit] == doctest::Approx(0.062).epsilon(0.2));
    }
  }
}

TEST_CASE("listops: a level adds to a deep tree what the branching process says") {
  // An argument has t = 3/4 + 1/4 (2 + 7/2 t) = 10 words on average; the operator above the deepest
  // leaf has n arguments with weight n, so (4 + 9 + 16 + 25) / 14 - 1 besides the one that goes on.
  const double level = 2 + (54.0 / 14 - 1) * 10;
  const double shorter = Sample(150, 600).mean, longer = Sample(350, 600).mean;
  CHECK(longer - shorter == doctest::Approx(200 * level).epsilon(0.06));
}

TEST_CASE("listops: the depth is uniform in the window, only the last position is scored") {
  const auto task = make_task("listops", {});
  Draws draws(Rng(5));
  Example example;
  std::array<int, 5> depths{};
  for (int i = 0; i < 2000; ++i) {
    task->draw(draws, {3, 7}, example);
    const int depth =
        test::read_expression(test::text_of(example.tokens, task->info().inputs)).depth;
    REQUIRE((depth >= 3 && depth <= 7));
    ++depths[static_cast<std::size_t>(depth - 3)];
    REQUIRE(std::count(example.targets.begin(), example.targets.end(), not_scored) ==
            std::ssize(example.targets) - 1);
    REQUIRE(example.targets.back() != not_scored);
  }
  for (const int count : depths) CHECK(count == doctest::Approx(400).epsilon(0.2));
}

TEST_CASE("listops: the honest rule keeps its splits apart, the paper's does not") {
  for (const std::string rule : {"paper", "honest"}) {
    const auto task = make_task("listops", {.rule = rule, .data = {}, .options = {}});
    const auto validation = evaluation_set(*task, {1, 1}, 2000, 1);
    const StringSet held_out(validation);
    Index shared = 0;
    for (const Example& example : training_set(*task, {1, 1}, 4000, 1, validation)) {
      shared += held_out.contains(example.tokens);
    }
    CHECK((shared == 0) == (rule == "honest"));
  }
}
