#include "tasks/brackets.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "tasks/task.hpp"
#include "tests/support/slow_labels.hpp"
#include "train/dataset.hpp"

using namespace rlt;

namespace {

Index max_depth(const std::vector<int>& string) {
  Index depth = 0, largest = 0;
  for (const int token : string) largest = std::max(largest, depth += opens(token) ? 1 : -1);
  return largest;
}

std::unique_ptr<Task> task_of(const char* name, const char* rule) {
  return make_task(name, {.rule = rule, .data = {}, .options = {}});
}

}  // namespace

TEST_CASE("brackets: every balanced string of length 8 is equally likely") {
  Draws draws(Rng(11));
  std::map<std::vector<int>, int> seen;
  constexpr int each = 700, strings = 14;  // the Catalan number of 4
  for (int i = 0; i < each * strings; ++i) {
    std::vector<int> string;
    append_balanced(draws, 1, 8, string);
    ++seen[string];
  }
  CHECK(seen.size() == strings);
  double chi_square = 0;
  for (const auto& [string, count] : seen)
    chi_square += (count - each) * (count - each) / double(each);
  CHECK(chi_square < 34.5);  // 13 degrees of freedom: above it once in 1000
}

TEST_CASE("brackets: the pairs of a balanced string match and are fair") {
  Draws draws(Rng(12));
  std::vector<int> string;
  append_balanced(draws, 2, 5000, string);
  const std::string text = test::text_of(string, {"(", ")", "[", "]"});
  CHECK(test::slow_member("shuffle2", "paper", text));
  const auto round = static_cast<double>(std::count(text.begin(), text.end(), '('));
  CHECK(round / 2500 == doctest::Approx(0.5).epsilon(0.08));
}

TEST_CASE("brackets: the grammar is empty as often as it should be, and never too long") {
  Draws draws(Rng(13));
  int empty = 0, pair = 0;
  constexpr int count = 40'000;
  for (int i = 0; i < count; ++i) {
    std::vector<int> string;
    append_grammar(draws, 1, 3, string);  // nesting budget: two levels, then `(())` collapses
    REQUIRE(string.size() <= 3);
    empty += string.empty();
    pair += string.size() == 2;
  }
  CHECK(empty + pair == count);
  // The inner S is not empty with probability i: i = 1/2 + 1/4 * 2 i (1 - i), as two pairs are too
  // long.
  const double i = (std::sqrt(5.0) - 1) / 2;
  // The outer one with t = 1/2 (1 - i) + 1/4 * 2 t (1 - t), as a pair within a pair is too long.
  const double t = (std::sqrt(1 + 4 * (1 - i)) - 1) / 2;
  CHECK(pair / double(count) == doctest::Approx(t).epsilon(0.03));
}

TEST_CASE(
    "dyck1: distinct strings of the paper rule have the lengths and depths of the paper's data") {
  const auto task = task_of("dyck1", "paper");
  const auto set = evaluation_set(*task, {2, 50}, 10'000, 1);
  REQUIRE(set.size() == 10'000);
  double mean = 0;
  std::vector<Index> depths;
  for (const Example& example : set) {
    mean += static_cast<double>(example.tokens.size()) / 10'000;
    depths.push_back(max_depth(example.tokens));
  }
  std::nth_element(depths.begin(), depths.begin() + 5000, depths.end());
  CHECK(mean == doctest::Approx(31.7).epsilon(0.02));
  CHECK(depths[5000] == 8);
}

TEST_CASE("shuffle2: brackets never cross under the paper rule, and do under the honest one") {
  int crossing[2] = {0, 0};
  for (const int honest : {0, 1}) {
    const auto task = task_of("shuffle2", honest ? "honest" : "paper");
    for (const Example& example : evaluation_set(*task, {8, 50}, 300, 4)) {
      const std::string text = test::text_of(example.tokens, task->info().inputs);
      crossing[honest] += !test::slow_member("shuffle2", "paper", text);
      if (honest) CHECK((text.find('(') != text.npos && text.find('[') != text.npos));
    }
  }
  CHECK(crossing[0] == 0);
  CHECK(crossing[1] > 200);
}

TEST_CASE("reset_dyck1: one reset and lengths beyond the window under the paper rule") {
  const auto task = task_of("reset_dyck1", "paper");
  const auto set = evaluation_set(*task, {2, 50}, 2000, 1);
  Index over = 0, longest = 0;
  for (const Example& example : set) {
    REQUIRE(std::count(example.tokens.begin(), example.tokens.end(), 2) == 1);
    over += std::ssize(example.tokens) > 50;
    longest = std::max(longest, std::ssize(example.tokens));
  }
  CHECK(static_cast<double>(over) / 2000 == doctest::Approx(0.066).epsilon(0.3));
  CHECK(longest > 80);
  CHECK(longest <= 101);
}

TEST_CASE("reset_dyck1: the honest rule has strings of no, one and many resets") {
  const auto task = task_of("reset_dyck1", "honest");
  Draws draws(Rng(8));
  Example example;
  for (const bool exact : {false, true}) {
    std::map<Index, int> with;
    for (int i = 0; i < 2000; ++i) {
      exact ? task->draw_exact(draws, 42, example) : task->draw(draws, {2, 50}, example);
      ++with[std::count(example.tokens.begin(), example.tokens.end(), 2)];
    }
    for (const Index resets : {0, 1, 2, 3, 5}) CHECK(with[resets] > 20);
  }
}
