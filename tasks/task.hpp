// What a task is: a source of labelled strings. One .cpp per task; the list is tasks.def. How to add one:
// tasks/README.md.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/index.hpp"
#include "base/option.hpp"
#include "base/rng.hpp"
#include "losses/score.hpp"

namespace rlt {

/// One labelled sequence of T positions. Where TaskInfo::asks_last, targets and
/// real_targets have one position.
struct Example {
  std::vector<int> tokens;     // (T), all 0 where the task has no symbols
  std::vector<int> targets;    // (T) class to predict after tokens[0..t]; `not_scored` where none
  std::vector<float> reals{};  // (T, F) real inputs, for tasks that have them
  std::vector<float> real_targets{};  // (T, K) likewise; NaN where nothing is asked
};
inline constexpr int not_scored = -1;

/// The longest string of all tasks, in its `length_unit`: the product of two lengths fits into an Index.
inline constexpr Index max_length = 1'000'000'000;

/// Smallest and largest size of the strings of a set, both included, in the task's `length_unit`.
struct Window {
  Index low = 0;
  Index high = 0;
};

/// How the strings of a set relate to each other and to the validation set.
struct SplitRule {
  bool distinct_training = false;           // no string twice in a finite training set
  bool training_avoids_validation = false;  // no training string occurs in the validation set
};
// Evaluation sets never hold a string twice.

/// What the outputs of the model mean, and how they are scored (lib/losses).
enum class Likelihood {
  classes,   // logits of the target: cross_entropy.hpp
  forecast,  // real numbers in units of the window: forecast.hpp
  events,    // time to the next event and its mark: event_mixture.hpp
};

/// What someone who did not learn from the run's data scores on a set: a simple rule, or who knows the generator.
struct Reference {
  std::string name;  // "seasonal_naive", "oracle"
  Score score;
};

/// The facts that `rlt tasks NAME` prints and that models and reports need.
struct TaskInfo {
  std::string name;
  std::string summary;  // one line
  std::string source;   // paper and arXiv number
  std::string rule;     // "paper" or "honest": which this object follows
  std::string label;    // what the target at position t says
  std::string quirks;   // where the rule departs from the task's definition; may be empty
  std::vector<std::string> inputs;   // symbol of each input token id, without white space
  std::vector<std::string> outputs;  // symbol of each target class
  std::string length_unit = "symbols";
  Index unit_symbols = 1;  // that a length_unit has at most, or so: for estimates of memory
  Index min_length = 1;    // smallest useful value of Window::low, in length_unit
  Window training{2, 50};  // default training window (Bin0)
  Index bin_step = 50;     // Bin k covers [k step + 1, (k + 1) step] (Bin0: `training`)
  SplitRule splits;
  std::vector<Option> options;  // `--task-option`s that the task knows
  /// Sizes for draw_exact and possible_length are in length_unit, not in symbols.
  bool exact_in_units = false;
  /// The class of positions where nothing is to be answered, so that answers can be scored alone; -1: none.
  int blank = -1;
  /// The fixed sets hold long documents to be read in segments with the state carried between them.
  bool documents = false;
  Index features = 0;      // real numbers read at each position
  Index real_targets = 0;  // real numbers asked at each position
  Likelihood likelihood = Likelihood::classes;
  /// Nothing is asked before the end of a sequence: the model's heads read its last position alone.
  bool asks_last = false;
  /// What --data names, for tasks that read the user's own sets; empty for those that draw their strings.
  /// The symbols of such a task are those of the data.
  std::string data;
  bool makes_own_sets = false;  // without --data, from its options
  /// Further sets of a task whose sets are given: "test" again, with some of its targets alone.
  std::vector<std::string> parts;

  /// Its strings are drawn, whatever their number and length; otherwise its sets are given.
  bool is_drawn() const { return data.empty() && !makes_own_sets; }
};

/// Pure: every method depends on its arguments alone. Objects are immutable after construction.
class Task {
 public:
  virtual ~Task() = default;
  virtual const TaskInfo& info() const = 0;

  /// Replaces `example` by one random string of the window, drawn as the rule says (with the rule's
  /// own rejections; uniqueness within a set is the caller's). Terminates for every window that
  /// `check_window` accepts.
  virtual void draw(Draws& draws, Window window, Example& example) const = 0;

  /// Replaces `example` by one random string of exactly `length` symbols (length_units where
  /// `exact_in_units`), a value that `possible_length` returns.
  virtual void draw_exact(Draws& draws, Index length, Example& example) const = 0;

  /// The largest number of symbols (length_units where `exact_in_units`) <= `length` that a string can
  /// have; 0 when there is none.
  virtual Index possible_length(Index length) const = 0;

  /// The strings of a task whose sets are given, not drawn (`split`: "train", "valid" or "test");
  /// nullptr when it draws them, or has no such set. draw() of such a task is an Error(usage).
  virtual const std::vector<Example>* fixed_set(std::string_view /*split*/) const {
    return nullptr;
  }

  /// UTF-8 bytes that the targets of a given set of text stand for; 0 for other tasks.
  virtual Index predicted_bytes(std::string_view /*split*/) const { return 0; }

  /// Beside a model on the same examples, where real numbers are asked; each counts what the likelihood's loss counts.
  virtual std::vector<Reference> references(const std::vector<Example>& /*examples*/) const {
    return {};
  }
};

/// The symbols that a model knows, in the order of their numbers: TaskInfo::inputs and outputs.
struct Symbols {
  std::vector<std::string> inputs, outputs;
};

/// What the command line chose for a task.
struct TaskOptions {
  std::string rule = "paper";
  std::string data;      // where the user's own data lie, for tasks that read them
  OptionValues options;  // of the one task; missing ones have their defaults
  /// Own data are numbered by these; where there are none, in order of appearance.
  Symbols symbols = {};
};

struct TaskEntry {
  std::string_view name;
  /// Reads no data: without symbols where these come from them.
  TaskInfo (*info)(const TaskOptions&);
  std::unique_ptr<Task> (*make)(const TaskOptions&);
};

/// All tasks in the order of tasks.def.
const std::vector<TaskEntry>& all_tasks();

/// The facts of the task of that name, before any data are read. Error(usage): the name is unknown (the
/// nearest is told), the rule is not "paper" or "honest", the task knows no such option, or takes no data.
TaskInfo task_info(std::string_view name, const TaskOptions& options);
/// The task itself; also Error(usage) when it needs data and is given none.
std::unique_ptr<Task> make_task(std::string_view name, const TaskOptions& options);

/// Error(usage) with one clear line when `low` is below the task's minimum or above `high`, `high` above
/// max_length, or when the window holds no string.
void check_window(const Task& task, Window window);

}  // namespace rlt
