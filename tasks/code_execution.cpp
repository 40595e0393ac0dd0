// code_execution: follow a program, statement by statement, and say what it prints.
// Paper: RFWP (arXiv 2106.06295); generator: IDSIA/recurrent-fwp.
// Label: at the `;` of a print that is executed the value, `_` everywhere else.
// Statements: v = n ; | v ++ ; | v -- ; | print v ; | if v < n : STATEMENT | if v > n : STATEMENT.
//   The kind is uniform over assignment, step (++ or --), print and conditional; the statement under
//   a condition is uniform over the first three. n is uniform in 0..9; an assigned v is uniform over
//   all variables, any other over those defined so far; ++ or --, < or > are fair coins, except that
//   a step which would leave [-8, 16] is turned round, under a false condition too.
//   A conditional and the statement under it count as ONE statement: only so do 100 statements hold
//   24.5 conditionals and 33.7 prints, as the paper's data do.
//   The first statement is an assignment, the last a print, neither under a condition; the last but
//   one is drawn like all others.
// Both rules draw programs alike but for what follows from the values (which variables are defined,
//   which steps are turned round).
// Paper rule: as labelled by the original generator. Honest rule: as Python would execute it.
// Quirk of the paper rule: under a true condition an assignment to a variable that has a value is
//   ignored.
#include <fmt/format.h>

#include <array>
#include <string>
#include <vector>

#include "tasks/registry.hpp"

namespace rlt {
namespace {

constexpr int lowest = -8, highest = 16;  // no variable leaves this range
constexpr int digits = 10;
constexpr std::array<const char*, 10> variables = {"x", "y", "z", "a", "b",
                                                   "c", "d", "e", "f", "g"};

// Numbers of the input symbols: a digit is its own, the variables come last.
enum Symbol : int {
  assigned = digits,
  end,
  plus,
  minus,
  print,
  condition,
  less,
  more,
  colon,
  first
};
// Numbers of the classes: a value is class value - lowest + 1.
constexpr int blank = 0;

enum Kind : Index { assignment, step, output, conditional };
enum class Branch { none, taken, skipped };

/// Writes a program and executes it as it goes.
class Writer {
 public:
  Writer(Draws& draws, Index variable_count, bool honest, Example& example)
      : draws_(draws), variable_count_(variable_count), honest_(honest), example_(example) {}

  void write(Index kind, Branch branch = Branch::none) {
    if (kind == assignment) write_assignment(branch);
    if (kind == step) write_step(branch);
    if (kind == output) write_print(branch);
    if (kind == conditional) write_conditional();
  }

 private:
  void write_assignment(Branch branch) {
    const auto variable = static_cast<std::size_t>(draws_.below(variable_count_));
    const int number = draw_digit();
    emit({name(variable), assigned, number, end});
    if (branch == Branch::skipped) return;
    const bool has_value = is_defined_[variable];
    if (!has_value) {
      is_defined_[variable] = true;
      defined_.push_back(variable);
    }
    if (honest_ || branch == Branch::none || !has_value) values_[variable] = number;
  }

  void write_step(Branch branch) {
    const std::size_t variable = draw_defined();
    int change = draws_.chance(0.5) ? 1 : -1;
    const int result = values_[variable] + change;
    if (result < lowest || result > highest) change = -change;
    emit({name(variable), change > 0 ? plus : minus, end});
    if (branch != Branch::skipped) values_[variable] += change;
  }

  void write_print(Branch branch) {
    const std::size_t variable = draw_defined();
    emit({print, name(variable), end});
    if (branch != Branch::skipped) example_.targets.back() = values_[variable] - lowest + 1;
  }

  void write_conditional() {
    const std::size_t variable = draw_defined();
    const int number = draw_digit();
    const bool is_less = draws_.chance(0.5);
    emit({condition, name(variable), is_less ? less : more, number, colon});
    const bool holds = is_less ? values_[variable] < number : values_[variable] > number;
    write(draws_.below(conditional), holds ? Branch::taken : Branch::skipped);
  }

  void emit(std::initializer_list<int> symbols) {
    example_.tokens.insert(example_.tokens.end(), symbols);
    example_.targets.resize(example_.tokens.size(), blank);
  }

  static int name(std::size_t variable) { return first + static_cast<int>(variable); }
  int draw_digit() { return static_cast<int>(draws_.below(digits)); }
  std::size_t draw_defined() {
    return defined_[static_cast<std::size_t>(draws_.below(std::ssize(defined_)))];
  }

  Draws& draws_;
  Index variable_count_;
  bool honest_;
  Example& example_;
  std::array<int, variables.size()> values_{};
  std::array<bool, variables.size()> is_defined_{};
  std::vector<std::size_t> defined_;
};

class CodeExecution final : public Task {
 public:
  explicit CodeExecution(const TaskOptions& options) : info_(code_execution_info(options)) {}

  const TaskInfo& info() const override { return info_; }

  void draw(Draws& draws, Window window, Example& example) const override {
    draw_exact(draws, draws.between(window.low, window.high), example);
  }

  void draw_exact(Draws& draws, Index statements, Example& example) const override {
    example.tokens.clear();
    example.targets.clear();
    Writer writer(draws, std::ssize(info_.inputs) - first, info_.rule == "honest", example);
    writer.write(assignment);
    for (Index i = 2; i < statements; ++i) writer.write(draws.below(conditional + 1));
    writer.write(output);
  }

  Index possible_length(Index statements) const override {
    return statements >= info_.min_length ? statements : 0;
  }

 private:
  TaskInfo info_;
};

}  // namespace

TaskInfo code_execution_info(const TaskOptions& options) {
  TaskInfo info;
  info.name = "code_execution";
  info.summary = "run a program line by line: what does it print?";
  info.source = "Irie, Schlag, Csordas, Schmidhuber 2021, arXiv 2106.06295";
  info.rule = options.rule;
  info.label = "at the ; of an executed print its value, _ elsewhere";
  if (options.rule == "paper") {
    info.quirks =
        "an assignment under a true condition is ignored if its variable has a value: four "
        "programs in five have labels that Python would not give";
  } else {
    info.splits = {.distinct_training = true, .training_avoids_validation = true};
  }
  info.options = {{.name = "variables",
                   .value = "3",
                   .help = "how many variables programs have",
                   .choices = {"3", "5", "10"}}};
  const OptionValues chosen =
      complete_options("task-option", info.name, info.options, options.options);
  for (int digit = 0; digit < digits; ++digit) info.inputs.push_back(fmt::format("{}", digit));
  info.inputs.insert(info.inputs.end(), {"=", ";", "++", "--", "print", "if", "<", ">", ":"});
  info.inputs.insert(info.inputs.end(), variables.begin(),
                     variables.begin() + std::stoi(chosen.at("variables")));
  info.outputs = {"_"};
  for (int value = lowest; value <= highest; ++value) {
    info.outputs.push_back(fmt::format("{}", value));
  }
  info.blank = blank;
  info.length_unit = "statements";
  info.unit_symbols = 9;  // if v < n : v = n ;
  info.exact_in_units = true;
  info.min_length = 2;
  info.training = {100, 100};
  info.bin_step = 100;
  return info;
}

std::unique_ptr<Task> make_code_execution(const TaskOptions& options) {
  return std::make_unique<CodeExecution>(options);
}

}  // namespace rlt
