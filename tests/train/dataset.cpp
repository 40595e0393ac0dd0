#include "train/dataset.hpp"

#include <doctest/doctest.h>

#include <set>

#include "tests/support/message.hpp"

using namespace rlt;
using test::error_of;

namespace {

std::unique_ptr<Task> task_of(const std::string& name, const char* rule) {
  return make_task(name, {.rule = rule, .data = {}, .options = {}});
}

std::set<std::vector<int>> strings_of(const std::vector<Example>& examples) {
  std::set<std::vector<int>> strings;
  for (const Example& example : examples) strings.insert(example.tokens);
  return strings;
}

}  // namespace

TEST_CASE("dataset: a small language gives all its strings, however many are asked") {
  const struct {
    const char *task, *rule;
    std::size_t bin0, bin1;
  } languages[] = {{"aa_star", "paper", 25, 25},   {"aa_star", "honest", 49, 50},
                   {"abab_star", "paper", 12, 13}, {"abab_star", "honest", 49, 50},
                   {"anbn", "paper", 49, 50},      {"anbn", "honest", 25, 25},
                   {"anbncn", "paper", 49, 50},    {"anbncn", "honest", 16, 17}};
  for (const auto& language : languages) {
    CAPTURE(language.task);
    CAPTURE(language.rule);
    const auto task = task_of(language.task, language.rule);
    for (const std::uint64_t seed : {1, 2, 3}) {
      CHECK(evaluation_set(*task, bin_window(task->info(), 0), 999, seed).size() == language.bin0);
      CHECK(evaluation_set(*task, bin_window(task->info(), 1), 999, seed).size() == language.bin1);
    }
    CHECK(exact_set(*task, 24, 7, 1).size() == 1);
  }
  CHECK(exact_set(*task_of("dyck1", "paper"), 10, 999, 1).size() == 42);  // the Catalan number of 5
  CHECK(exact_set(*task_of("parity", "paper"), 7, 999, 1).size() == 64);
  CHECK(exact_set(*task_of("parity", "honest"), 7, 999, 1).size() == 128);
}

TEST_CASE(
    "dataset: evaluation sets are distinct, repeatable, nested, and differ by every argument") {
  const auto task = task_of("parity", "honest");
  const auto set = evaluation_set(*task, {2, 13}, 301, 1);
  CHECK(set.size() == 301);
  CHECK(strings_of(set).size() == 301);
  CHECK(data_hash(set) == data_hash(evaluation_set(*task_of("parity", "honest"), {2, 13}, 301, 1)));
  const auto smaller = evaluation_set(*task, {2, 13}, 99, 1);
  CHECK(data_hash(smaller) == data_hash({set.begin(), set.begin() + 99}));
  std::set<std::string> hashes = {data_hash(set)};
  hashes.insert(data_hash(evaluation_set(*task, {2, 13}, 301, 2)));
  hashes.insert(data_hash(evaluation_set(*task, {2, 14}, 301, 1)));
  hashes.insert(data_hash(evaluation_set(*task, {3, 13}, 301, 1)));
  hashes.insert(data_hash(evaluation_set(*task_of("parity", "paper"), {2, 13}, 301, 1)));
  CHECK(hashes.size() == 5);
  // dyck1 draws by one grammar under both rules, yet from different numbers
  CHECK(data_hash(evaluation_set(*task_of("dyck1", "paper"), {2, 24}, 99, 1)) !=
        data_hash(evaluation_set(*task_of("dyck1", "honest"), {2, 24}, 99, 1)));
}

TEST_CASE("dataset: exact sets have that length, or say that no string has it") {
  const auto task = task_of("dyck1", "paper");
  for (const Example& example : exact_set(*task, 46, 19, 1)) CHECK(example.tokens.size() == 46);
  CHECK(error_of([&] { exact_set(*task, 47, 19, 1); }) ==
        "2: task dyck1 (paper rule): no string has 47 symbols");
}

TEST_CASE("dataset: training sets follow the split rule") {
  const auto check = [](const char* name, const char* rule, bool distinct, bool apart) {
    CAPTURE(name);
    CAPTURE(rule);
    const auto task = task_of(name, rule);
    const Window window{2, 24};
    const auto validation = evaluation_set(*task, window, 200, 1);
    const auto training = training_set(*task, window, 500, 9, validation);
    CHECK(training.size() == 500);
    const StringSet held_out(validation);
    Index shared = 0;
    for (const Example& example : training) shared += held_out.contains(example.tokens);
    CHECK((strings_of(training).size() == 500) == distinct);
    CHECK((shared == 0) == apart);
    CHECK(data_hash(training) == data_hash(training_set(*task, window, 500, 9, validation)));
    CHECK(data_hash(training) != data_hash(training_set(*task, window, 500, 8, validation)));
  };
  check("parity", "paper", true, true);
  check("parity", "honest", true, true);
  check("dyck1", "paper", true, false);
  check("dyck1", "honest", true, true);
  check("shuffle2", "paper", true, false);
  check("shuffle2", "honest", true, true);
  check("reset_dyck1", "paper", true, true);
  check("reset_dyck1", "honest", true, true);
  check("aa_star", "paper", false, false);
  check("abab_star", "honest", false, false);
  check("anbn", "honest", false, false);
  check("anbncn", "paper", false, false);
}

TEST_CASE("dataset: too few strings for a distinct training set is a usage error") {
  const auto task = task_of("dyck1", "honest");
  const auto validation = evaluation_set(*task, {2, 6}, 3, 1);
  REQUIRE(validation.size() == 3);  // of 1 + 2 + 5
  CHECK(training_set(*task, {2, 6}, 5, 1, validation).size() == 5);
  CHECK(error_of([&] {
          training_set(*task, {2, 6}, 6, 1, validation);
        }) ==
        "2: task dyck1 (honest rule), window [2, 6]: 6 distinct training strings outside the "
        "validation set asked, 5 found; widen the window or ask for fewer");
}

TEST_CASE("dataset: a fresh string depends on its generator alone and avoids the validation set") {
  const auto task = task_of("dyck1", "honest");
  const Window window{2, 8};
  const auto validation = evaluation_set(*task, window, 15, 1);  // of 22: most draws are refused
  const StringSet held_out(validation);
  std::set<std::vector<int>> strings;
  Example example, again;
  for (std::uint64_t row = 0; row < 200; ++row) {
    fresh_example(*task, window, Rng(3).stream(row), held_out, example);
    fresh_example(*task, window, Rng(3).stream(row), held_out, again);
    CHECK(example.tokens == again.tokens);
    CHECK(example.targets == again.targets);
    CHECK(!held_out.contains(example.tokens));
    strings.insert(example.tokens);
  }
  CHECK(strings.size() > 3);
  const StringSet everything(evaluation_set(*task, window, 999, 1));
  CHECK(error_of([&] {
          fresh_example(*task, window, Rng(1), everything, example);
        }).starts_with("2: task dyck1 (honest rule), window [2, 8]: 10000 draws in a row"));
  // the paper draws training and Bin0 of dyck1 independently
  fresh_example(*task_of("dyck1", "paper"), window, Rng(1), everything, example);
  CHECK(everything.contains(example.tokens));
}

TEST_CASE("dataset: bins follow the training window") {
  const auto task = task_of("parity", "paper");
  CHECK(bin_window(task->info(), 0).low == 2);
  CHECK(bin_window(task->info(), 0).high == 50);
  CHECK(bin_window(task->info(), 3).low == 151);
  CHECK(bin_window(task->info(), 3).high == 200);
  CHECK(error_of([&] { bin_window(task->info(), -1); }) == "2: bin -1: bins are counted from 0");
}

TEST_CASE("dataset: lengths and bins that would overflow are usage errors") {
  const auto task = task_of("parity", "honest");
  CHECK(error_of([&] {
          evaluation_set(*task, {2, 9223372036854775807}, 1, 1);
        }) == "2: window [2, 9223372036854775807] of task parity: must end at 1000000000 or below");
  CHECK(
      error_of([&] { exact_set(*task, 9223372036854775807, 1, 1); }).starts_with("2: task parity"));
  CHECK(
      error_of([&] { bin_window(task->info(), 9223372036854775807); }).starts_with("2: bin 9223"));
  CHECK(bin_window(task->info(), 19'999'999).high == max_length);
}

TEST_CASE("dataset: strings that this machine cannot hold are refused before they are drawn") {
  const auto parity = task_of("parity", "honest");
  const std::string set = error_of([&] {
    training_set(*parity, {1000000, 1000000}, 1000000000, 1, {});
  });
  CHECK(set.starts_with("1: a training set of that size: 7450819.0 GiB of memory needed, "));
  CHECK(set.find("--train-size") != std::string::npos);
  const auto listops = task_of("listops", "honest");
  for (const auto draw : {+[](const Task& task) {
                            evaluation_set(task, {1, max_length}, 1, 1);
                          },
                          +[](const Task& task) { exact_set(task, max_length, 1, 1); }}) {
    const std::string one = error_of([&] { draw(*listops); });
    CHECK(one.starts_with("1: one string of that length: 894.1 GiB of memory needed, "));
    CHECK(one.find("--lengths") != std::string::npos);
  }
}

TEST_CASE("dataset: the hash is FNV-1a and sees order, targets and where strings end") {
  CHECK(data_hash({}) == "cbf29ce484222325");  // the published offset basis
  const Example a{{1, 0}, {0, 1}}, b{{1}, {0}}, c{{0}, {1}};
  std::set<std::string> hashes;
  for (const std::vector<Example>& set : std::vector<std::vector<Example>>{
           {a}, {b, c}, {c, b}, {b}, {{{1, 0}, {0, 0}}}, {{{1, 0}, {0, not_scored}}}}) {
    hashes.insert(data_hash(set));
    CHECK(data_hash(set).size() == 16);
  }
  CHECK(hashes.size() == 6);
}
