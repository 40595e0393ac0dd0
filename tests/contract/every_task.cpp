// The contract of every drawn task, under both rules and for every choice of its options. Tasks whose sets are given
// draw nothing: tests/tasks/file.cpp, tests/tasks/series.cpp ...
#include <doctest/doctest.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>

#include "tasks/task.hpp"
#include "tests/support/slow_labels.hpp"

using namespace rlt;

namespace {

const std::vector<Window> windows = {{2, 50}, {51, 100}, {5, 13}, {4, 4}, {7, 12}};

/// The defaults, then every other choice of every option.
std::vector<OptionValues> variants_of(const TaskInfo& info) {
  std::vector<OptionValues> variants = {{}};
  for (const Option& option : info.options) {
    for (const std::string& choice : option.choices) {
      if (choice != option.value) variants.push_back({{option.name, choice}});
    }
  }
  return variants;
}

/// body(task) for every drawn task under both rules, `with_options` in all its variants, named in the
/// messages of failed checks.
void for_every_task(const std::function<void(const Task&)>& body, bool with_options = true) {
  std::size_t drawn = 0;
  for (const TaskEntry& entry : all_tasks()) {
    if (!entry.info({}).is_drawn()) continue;
    ++drawn;
    for (const std::string rule : {"paper", "honest"}) {
      const std::unique_ptr<Task> standard =
          make_task(entry.name, {.rule = rule, .data = {}, .options = {}});
      for (const OptionValues& options : variants_of(standard->info())) {
        if (!with_options && !options.empty()) continue;
        const std::unique_ptr<Task> task =
            make_task(entry.name, {.rule = rule, .data = {}, .options = options});
        const std::string where = fmt::format("{} {} {}", entry.name, rule, options);
        CAPTURE(where);
        CHECK(task->info().name == entry.name);
        CHECK(task->info().rule == rule);
        body(*task);
      }
    }
  }
  CHECK(drawn >= 10);
}

/// The size of a string in the task's own count; in symbols for counter languages too, whose window
/// counts n.
Index size_of(const TaskInfo& info, const Example& example) {
  Index statements = 0, open = 0, depth = 0;
  for (const int token : example.tokens) {
    const std::string& symbol = info.inputs.at(static_cast<std::size_t>(token));
    statements += symbol == ";";
    open += symbol[0] == '[' ? 1 : symbol == "]" ? -1 : 0;
    depth = std::max(depth, open);
  }
  if (info.length_unit == "statements") return statements;
  if (info.length_unit == "depth") return depth;
  CHECK(!info.exact_in_units);
  return std::ssize(example.tokens);
}

bool holds_a_string(const Task& task, Window window) {
  return task.info().length_unit == "n" || task.possible_length(window.high) >= window.low;
}

Example drawn(const Task& task, Window window, std::uint64_t seed) {
  Draws draws(Rng(seed).stream("contract"));
  Example example{{9, 9}, {9}};  // what was there before must not matter
  task.draw(draws, window, example);
  return example;
}

Example drawn_exactly(const Task& task, Index length, std::uint64_t seed) {
  Draws draws(Rng(seed).stream("exact"));
  Example example{{9, 9}, {9}};
  task.draw_exact(draws, length, example);
  return example;
}

std::string class_name(const TaskInfo& info, int target) {
  return target == not_scored ? "." : info.outputs.at(static_cast<std::size_t>(target));
}

/// Labels, ranges and membership against the slow rules.
void check_example(const Task& task, const Example& example) {
  const TaskInfo& info = task.info();
  REQUIRE(!example.tokens.empty());
  REQUIRE(example.tokens.size() == example.targets.size());
  for (const int token : example.tokens) {
    REQUIRE((token >= 0 && token < std::ssize(info.inputs)));
  }
  const std::string text = test::text_of(example.tokens, info.inputs);
  CAPTURE(text);
  CHECK(test::slow_member(info.name, info.rule, text));
  const std::vector<std::string> labels = test::slow_labels(info.name, info.rule, text);
  REQUIRE(labels.size() == example.targets.size());
  for (std::size_t t = 0; t < labels.size(); ++t) {
    const int target = example.targets[t];
    REQUIRE((target >= not_scored && target < std::ssize(info.outputs)));
    REQUIRE(class_name(info, target) == labels[t]);
  }
}

/// The sizes, as size_of counts them, that the rule allows for the window.
Window allowed_sizes(const TaskInfo& info, Window window) {
  const Index letters = std::ssize(info.inputs);
  if (info.length_unit == "n") return {letters * window.low, letters * window.high};
  if (info.name == "reset_dyck1" && info.rule == "paper") return {window.low, 2 * window.high + 1};
  return window;
}

std::string golden_text(const Task& task) {
  std::string text;
  for (std::uint64_t i = 0; i < 5; ++i) {
    const Example example = drawn(task, task.info().training, i);
    text += test::text_of(example.tokens, task.info().inputs) + "\n";
    for (const int target : example.targets) text += class_name(task.info(), target) + " ";
    text.back() = '\n';
  }
  return text;
}

}  // namespace

TEST_CASE("every task: labels are those of the slow rule, strings belong to the language") {
  for_every_task([](const Task& task) {
    for (const Window window : windows) {
      if (!holds_a_string(task, window)) continue;
      for (std::uint64_t seed = 0; seed < 7; ++seed) check_example(task, drawn(task, window, seed));
    }
    for (Index length = 1; length <= 45; length += 4) {
      const Index possible = task.possible_length(length);
      if (possible > 0) check_example(task, drawn_exactly(task, possible, 3));
    }
  });
}

TEST_CASE("every task: the window holds as the rule says") {
  for_every_task([](const Task& task) {
    for (const Window window : windows) {
      if (!holds_a_string(task, window)) continue;
      const Window allowed = allowed_sizes(task.info(), window);
      for (std::uint64_t seed = 0; seed < 60; ++seed) {
        const Index size = size_of(task.info(), drawn(task, window, seed));
        REQUIRE(size >= allowed.low);
        REQUIRE(size <= allowed.high);
      }
    }
  });
}

TEST_CASE("every task: the same numbers give the same string, others give others") {
  for_every_task([](const Task& task) {
    std::set<std::vector<int>> strings;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const Example example = drawn(task, {5, 31}, seed);
      const Example again = drawn(task, {5, 31}, seed);
      CHECK(example.tokens == again.tokens);
      CHECK(example.targets == again.targets);
      strings.insert(example.tokens);
    }
    CHECK(strings.size() >= 4);  // abab_star under the paper rule has 6 strings in all
  });
}

TEST_CASE("every task: possible_length and draw_exact agree") {
  for_every_task([](const Task& task) {
    CHECK(task.possible_length(0) == 0);
    CHECK(task.possible_length(-3) == 0);
    for (Index length = 1; length <= 61; ++length) {
      const Index possible = task.possible_length(length);
      REQUIRE(possible <= length);
      REQUIRE(possible > length - 5);  // no task here has a longer period than 4
      if (possible <= 0) continue;
      REQUIRE(task.possible_length(possible) == possible);
      REQUIRE(size_of(task.info(), drawn_exactly(task, possible, 1)) == possible);
    }
    // no string that is drawn has an impossible length
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
      const Index size = size_of(task.info(), drawn(task, {2, 23}, seed));
      REQUIRE(task.possible_length(size) == size);
    }
  });
}

TEST_CASE("every task: a string of size 100001 takes linear time and little stack") {
  for_every_task([](const Task& task) {
    const Index length = task.possible_length(100'001);
    const std::clock_t start = std::clock();  // of this process, whatever else runs
    const Example example = drawn_exactly(task, length, 2);
    const std::clock_t taken = std::clock() - start;
    CHECK(size_of(task.info(), example) == length);
    CHECK(example.targets.size() == example.tokens.size());
    CHECK(taken < CLOCKS_PER_SEC);  // linear: milliseconds; quadratic: 5 10^9 steps
  });
}

TEST_CASE("every task: facts are complete") {
  for_every_task([](const Task& task) {
    const TaskInfo& info = task.info();
    for (const std::string& text : {info.summary, info.source, info.label}) CHECK(!text.empty());
    CHECK(info.outputs.size() >= 2);
    CHECK(info.blank < std::ssize(info.outputs));
    CHECK(!info.documents);
    for (const auto* symbols : {&info.inputs, &info.outputs}) {
      CHECK(std::set<std::string>(symbols->begin(), symbols->end()).size() == symbols->size());
      for (const std::string& symbol : *symbols) {
        CHECK(!symbol.empty());
        CHECK(symbol.find_first_of(" \t\r\n") == std::string::npos);
      }
    }
    check_window(task, info.training);  // throws when the default does not fit
    CHECK(task.fixed_set("train") == nullptr);
  });
}

TEST_CASE("every task: the first strings are those of tests/golden") {
  for_every_task(
      [](const Task& task) {
        const std::string path =
            fmt::format("{}/golden/{}_{}.txt", RLT_TEST_DIR, task.info().name, task.info().rule);
        if (std::getenv("RLT_RENEW_GOLDEN")) std::ofstream(path) << golden_text(task);
        std::ostringstream stored;
        stored << std::ifstream(path).rdbuf();
        CAPTURE(path);
        CHECK_MESSAGE(
            stored.str() == golden_text(task),
            "the strings of this task changed, and with them every run and every published "
            "number. If that is meant: run the tests once with RLT_RENEW_GOLDEN=1, look at the "
            "difference, say so in the commit");
      },
      false);
}
