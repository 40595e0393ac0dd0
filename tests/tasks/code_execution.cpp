#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "tasks/task.hpp"
#include "tests/support/message.hpp"
#include "tests/support/slow_labels.hpp"

using namespace rlt;
using test::error_of;

namespace {

constexpr int programs = 500;

std::unique_ptr<Task> task_of(const char* rule, const char* variables) {
  return make_task("code_execution",
                   {.rule = rule, .data = {}, .options = {{"variables", variables}}});
}

std::string program_of(const Task& task, Index statements, std::uint64_t seed) {
  Draws draws{Rng(seed)};
  Example example;
  task.draw_exact(draws, statements, example);
  return test::text_of(example.tokens, task.info().inputs);
}

Index times(const std::vector<std::string>& words, const std::string& word) {
  return std::count(words.begin(), words.end(), word);
}

/// Per program, where no other unit is given.
struct Statistics {
  double length = 0, conditionals = 0, prints = 0, answers = 0;
  double other_programs = 0, other_answers = 0;  // fractions with labels Python would not give
  Index shortest = 1'000'000, longest = 0, fewest_answers = 1'000'000, most_answers = 0;
  std::map<std::string, double> printed;
};

Statistics statistics(const char* variables) {
  const auto task = task_of("paper", variables);
  Statistics s;
  for (int i = 0; i < programs; ++i) {
    const std::string text = program_of(*task, 100, static_cast<std::uint64_t>(i));
    std::istringstream stream(text);
    const std::vector<std::string> words{std::istream_iterator<std::string>(stream), {}};
    const auto labels = test::run_program(text, "paper");
    const auto python =
        test::run_program(text, "honest");  // empty: no such variable, or out of range
    REQUIRE(labels.size() == words.size());
    const Index answers = std::ssize(labels) - times(labels, "_");
    s.length += static_cast<double>(words.size()) / programs;
    s.conditionals += static_cast<double>(times(words, "if")) / programs;
    s.prints += static_cast<double>(times(words, "print")) / programs;
    s.answers += static_cast<double>(answers) / programs;
    s.shortest = std::min(s.shortest, std::ssize(words));
    s.longest = std::max(s.longest, std::ssize(words));
    s.fewest_answers = std::min(s.fewest_answers, answers);
    s.most_answers = std::max(s.most_answers, answers);
    s.other_programs += (labels != python ? 1.0 : 0.0) / programs;
    for (std::size_t t = 0; t < labels.size(); ++t) {
      if (labels[t] == "_") continue;
      ++s.printed[labels[t]];
      s.other_answers += python.empty() || labels[t] != python[t];
    }
  }
  s.other_answers /= s.answers * programs;
  for (auto& [value, share] : s.printed) share /= s.answers * programs;
  return s;
}

/// What does not depend on the number of variables; the tolerances are four standard errors.
void check_lengths_and_counts(const Statistics& s) {
  CHECK(s.length == doctest::Approx(456).epsilon(3.5 / 456));
  CHECK(s.shortest >= 370);
  CHECK(s.longest <= 550);
  CHECK(s.conditionals == doctest::Approx(24.5).epsilon(0.8 / 24.5));
  CHECK(s.prints == doctest::Approx(33.7).epsilon(0.9 / 33.7));
  CHECK(s.answers == doctest::Approx(29).epsilon(0.9 / 29));
  CHECK(s.fewest_answers >= 13);
  CHECK(s.most_answers <= 49);
  double largest = 0;
  for (const auto& [value, share] : s.printed) {
    largest = std::max(largest, share);
    if (std::stoi(value) < -6 || std::stoi(value) > 15) CHECK(share < 0.001);
  }
  CHECK(largest == doctest::Approx(0.10).epsilon(0.15));
}

}  // namespace

TEST_CASE("code_execution: programs of 100 statements are like the paper's") {
  const Statistics three = statistics("3"), five = statistics("5");
  check_lengths_and_counts(three);
  check_lengths_and_counts(five);
  CHECK(three.other_programs == doctest::Approx(0.81).epsilon(0.07 / 0.81));
  CHECK(five.other_programs == doctest::Approx(0.78).epsilon(0.07 / 0.78));
  CHECK(three.other_answers == doctest::Approx(0.11).epsilon(0.15));
  CHECK(five.other_answers == doctest::Approx(0.10).epsilon(0.15));
}

TEST_CASE(
    "code_execution: every kind of statement comes next to last, none under a condition last") {
  const auto task = task_of("paper", "3");
  std::map<std::string, int> kinds;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const std::string text = program_of(*task, 3, i);  // v = n ; STATEMENT print v ;
    std::istringstream words(text.substr(text.find(';') + 2));
    std::string first, second;
    words >> first >> second;
    ++kinds[first == "if" || first == "print" ? first : second];
  }
  CHECK(kinds.size() == 5);
  for (const auto& [kind, expected] :
       {std::pair{"=", 0.25}, {"++", 0.125}, {"--", 0.125}, {"print", 0.25}, {"if", 0.25}}) {
    CAPTURE(kind);
    CHECK(kinds[kind] / 2000.0 == doctest::Approx(expected).epsilon(0.2));
  }
}

TEST_CASE("code_execution: values reach both ends of their range and never leave it") {
  const auto task = task_of("paper", "3");
  const auto class_of = [&](const char* value) {
    const std::vector<std::string>& outputs = task->info().outputs;
    return static_cast<int>(std::ranges::find(outputs, value) - outputs.begin());
  };
  Draws draws(Rng(1));
  Example example;
  std::map<int, Index> printed;  // few of millions come to an end of the range
  for (int i = 0; i < 60; ++i) {
    task->draw_exact(draws, 100'000, example);
    for (const int target : example.targets) ++printed[target];
  }
  CHECK(printed[class_of("-8")] > 0);
  CHECK(printed[class_of("16")] > 0);
  CHECK(printed.begin()->first == task->info().blank);
  CHECK(printed.rbegin()->first == class_of("16"));
}

TEST_CASE("code_execution: the rules differ in what an assignment under a true condition does") {
  const std::string known = "x = 1 ; if x < 5 : x = 3 ; print x ;";
  CHECK(test::run_program(known, "paper").back() == "1");
  CHECK(test::run_program(known, "honest").back() == "3");
  const std::string unknown = "x = 1 ; if x < 5 : y = 3 ; print y ;";
  CHECK(test::run_program(unknown, "paper").back() == "3");
  CHECK(test::run_program("x = 1 ; if x > 5 : y = 3 ; print y ;", "paper").empty());
  // and the task draws such programs
  int differing = 0;
  const auto task = task_of("honest", "3");
  for (std::uint64_t i = 0; i < 100; ++i) {
    const std::string text = program_of(*task, 100, i);
    differing += test::run_program(text, "honest") != test::run_program(text, "paper");
  }
  CHECK(differing > 60);
}

TEST_CASE("code_execution: the vocabularies are fixed, the option adds variables at the end") {
  const TaskInfo three = task_of("paper", "3")->info(), ten = task_of("paper", "10")->info();
  CHECK(three.inputs.size() == 22);
  CHECK(task_of("paper", "5")->info().inputs.size() == 24);
  CHECK(std::equal(three.inputs.begin(), three.inputs.end(), ten.inputs.begin()));
  CHECK(ten.inputs.back() == "g");
  CHECK(three.outputs.size() == 26);
  CHECK(three.outputs == ten.outputs);
  CHECK(three.outputs[static_cast<std::size_t>(three.blank)] == "_");
  const std::string program = program_of(*task_of("paper", "10"), 300, 1);
  for (const std::string& symbol : ten.inputs) CHECK(program.find(symbol) != std::string::npos);
}

TEST_CASE("code_execution: other options and programs of one statement are refused") {
  CHECK(error_of([] { task_of("paper", "4"); }) ==
        "2: --task-option variables=4: code_execution takes 3 or 5 or 10");
  const auto task = task_of("paper", "3");
  CHECK(task->possible_length(1) == 0);
  CHECK(error_of([&] {
          check_window(*task, {1, 9});
        }) == "2: window [1, 9] of task code_execution: must begin at 2 or above");
}
