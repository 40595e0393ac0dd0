#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/error.hpp"
#include "tasks/task.hpp"
#include "tests/support/slow_labels.hpp"
#include "train/dataset.hpp"

using namespace rlt;

namespace {

std::unique_ptr<Task> word_problem(const OptionValues& options,
                                   const std::string& rule = "honest") {
  return make_task("word_problem", {.rule = rule, .data = {}, .options = options});
}

Example drawn(const Task& task, Window window, std::uint64_t seed) {
  Draws draws(Rng(seed).stream("word_problem"));
  Example example;
  task.draw(draws, window, example);
  return example;
}

Example drawn_exactly(const Task& task, Index length, std::uint64_t seed) {
  Draws draws(Rng(seed).stream("exact"));
  Example example;
  task.draw_exact(draws, length, example);
  return example;
}

using Neighbours = std::set<std::pair<int, int>>;

Neighbours neighbours(const Example& example) {
  Neighbours found;
  for (std::size_t t = 1; t < example.tokens.size(); ++t) {
    found.emplace(example.tokens[t - 1], example.tokens[t]);
  }
  return found;
}

/// All pairs that strings of a window have.
Neighbours in_windows(const Task& task) {
  Neighbours all;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    all.merge(neighbours(drawn(task, {2, 50}, seed)));
  }
  return all;
}

}  // namespace

TEST_CASE("word_problem: labels of larger groups are products of their permutations") {
  for (const std::string group : {"S5", "A5", "A4"}) {
    for (const std::string elements : {"all", "generators"}) {
      const auto task = word_problem({{"group", group}, {"elements", elements}});
      const Example example = drawn_exactly(*task, 77, 1);
      const std::string text = test::text_of(example.tokens, task->info().inputs);
      const std::vector<std::string> labels = test::slow_labels("word_problem", "honest", text);
      REQUIRE(labels.size() == 77);
      for (std::size_t t = 0; t < labels.size(); ++t) {
        REQUIRE(task->info().outputs[static_cast<std::size_t>(example.targets[t])] == labels[t]);
      }
    }
  }
}

TEST_CASE("word_problem: a cyclic group adds, a product of groups does so on both sides") {
  const auto task = word_problem({{"group", "Z4xZ3"}});
  const Example example = drawn_exactly(*task, 100, 1);
  int fours = 0, threes = 0;
  for (std::size_t t = 0; t < 100; ++t) {
    fours += example.tokens[t] / 3;
    threes += example.tokens[t] % 3;
    REQUIRE(example.targets[t] == fours % 4 * 3 + threes % 3);
  }
  CHECK(task->info().outputs[4] == "1.1");
}

TEST_CASE("word_problem: elements are uniform, also in their products; lengths are uniform") {
  const auto task = word_problem({{"group", "S3"}});
  std::array<double, 6> inputs{}, products{};
  double tokens = 0, length = 0;
  const int count = 4000;
  for (int i = 0; i < count; ++i) {
    const Example example = drawn(*task, {2, 50}, static_cast<std::uint64_t>(i));
    length += static_cast<double>(example.tokens.size()) / count;
    tokens += static_cast<double>(example.tokens.size());
    for (const int token : example.tokens) ++inputs[static_cast<std::size_t>(token)];
    for (const int target : example.targets) ++products[static_cast<std::size_t>(target)];
  }
  CHECK(length == doctest::Approx(26.0).epsilon(0.03));
  for (const auto& counts : {inputs, products}) {
    for (const double each : counts) CHECK(each / tokens == doctest::Approx(1 / 6.0).epsilon(0.03));
  }
}

TEST_CASE("word_problem: generators are read, every element is said") {
  const auto task = word_problem({{"group", "S4"}, {"elements", "generators"}});
  CHECK(task->info().inputs == std::vector<std::string>{"1234", "2134", "2341"});
  CHECK(task->info().outputs.size() == 24);
  std::set<int> said;
  for (const int target : drawn_exactly(*task, 3000, 1).targets) said.insert(target);
  CHECK(said.size() == 24);
}

TEST_CASE("word_problem: pairs held out are in no window and in every string of exact length") {
  for (const std::string held_out : {"1", "5", "9"}) {
    CAPTURE(held_out);
    const auto task = word_problem({{"group", "S3"}, {"held_out", held_out}});
    const Neighbours seen = in_windows(*task);
    CHECK(seen.size() == 36 - std::stoul(held_out));
    std::map<int, int> followers;
    for (const auto& pair : seen) ++followers[pair.first];
    CHECK(followers.size() == 6);
    for (const auto& [first, count] : followers) CHECK(count >= 3);
    for (const Index length : {2, 3, 9, 400}) {
      for (std::uint64_t seed = 0; seed < 50; ++seed) {
        const Neighbours here = neighbours(drawn_exactly(*task, length, seed));
        REQUIRE(std::ranges::any_of(here, [&](const auto& pair) { return !seen.contains(pair); }));
      }
    }
    CHECK(task->possible_length(1) == 0);
    CHECK(task->info().min_length == 2);
  }
  CHECK(in_windows(*word_problem({{"group", "S3"}})).size() == 36);
}

TEST_CASE("word_problem: more pairs held out contain the fewer, other groups hold out others") {
  const Neighbours few = in_windows(*word_problem({{"group", "S3"}, {"held_out", "3"}}));
  const Neighbours more = in_windows(*word_problem({{"group", "S3"}, {"held_out", "8"}}));
  CHECK(std::ranges::includes(few, more));
  CHECK(few != in_windows(*word_problem({{"group", "Z6"}, {"held_out", "3"}})));
}

TEST_CASE("word_problem: where as many pairs are held out as can be, strings still go everywhere") {
  const auto task = word_problem({{"group", "Z2"}, {"held_out", "1"}});
  CHECK(in_windows(*task).size() == 3);
  const auto larger = word_problem({{"group", "Z5"}, {"held_out", "6"}});
  CHECK(in_windows(*larger).size() == 19);
}

TEST_CASE("word_problem: training sets hold no string twice, honest ones none of the validation") {
  for (const std::string rule : {"paper", "honest"}) {
    const auto task = word_problem({{"group", "Z2"}}, rule);
    const auto validation = evaluation_set(*task, {8, 8}, 100, 1);
    const StringSet avoided(validation);
    StringSet seen;
    Index shared = 0;
    for (const Example& example : training_set(*task, {8, 8}, 150, 1, validation)) {
      CHECK(seen.insert(example.tokens));
      shared += avoided.contains(example.tokens);
    }
    CHECK((shared == 0) == (rule == "honest"));
  }
}

TEST_CASE("word_problem: options that cannot be are told in one line") {
  for (const OptionValues& options : {OptionValues{{"group", "Q8"}},
                                      {{"group", "S7"}},
                                      {{"elements", "some"}},
                                      {{"held_out", "10"}},
                                      {{"held_out", "-1"}},
                                      {{"group", "Z2"}, {"held_out", "2"}}}) {
    std::string message;
    try {
      word_problem(options);
    } catch (const Error& error) {
      message = error.what();
    }
    CAPTURE(message);
    CHECK(message.find("--task-option " + options.rbegin()->first) != std::string::npos);
    CHECK(message.find('\n') == std::string::npos);
  }
  CHECK(word_problem({})->info().outputs.size() == 6);
}
