#include "tasks/registry.hpp"

#include "base/error.hpp"
#include "base/nearest.hpp"

namespace rlt {

const std::vector<TaskEntry>& all_tasks() {
  static const std::vector<TaskEntry> tasks = {
#define RLT_TASK(name) {#name, make_##name},
#include "tasks/tasks.def"
#undef RLT_TASK
  };
  return tasks;
}

std::unique_ptr<Task> make_task(std::string_view name, const TaskOptions& options) {
  if (options.rule != "paper" && options.rule != "honest") {
    fail(Exit::usage, "--rule {}: unknown{}", options.rule,
         suggestion(options.rule, {"paper", "honest"}));
  }
  std::vector<std::string> names;
  for (const TaskEntry& task : all_tasks()) {
    if (task.name == name) {
      std::unique_ptr<Task> made = task.make(options);
      complete_options("task-option", name, made->info().options, options.options);
      return made;
    }
    names.emplace_back(task.name);
  }
  fail(Exit::usage, "--task {}: unknown{}", name, suggestion(name, names));
}

void check_window(const Task& task, Window window) {
  const TaskInfo& info = task.info();
  if (window.low < info.min_length) {
    fail(Exit::usage, "window [{}, {}] of task {}: must begin at {} or above", window.low,
         window.high, info.name, info.min_length);
  }
  if (window.high > max_length) {
    fail(Exit::usage, "window [{}, {}] of task {}: must end at {} or below", window.low,
         window.high, info.name, max_length);
  }
  if (window.low > window.high) {
    fail(Exit::usage, "window [{}, {}] of task {}: begins after its end", window.low, window.high,
         info.name);
  }
  // A window of n (counter languages) holds one string for every n; one of symbols may miss them
  // all.
  if (info.length_unit == "symbols" && task.possible_length(window.high) < window.low) {
    fail(Exit::usage, "window [{}, {}] of task {} ({} rule): no string has such a length",
         window.low, window.high, info.name, info.rule);
  }
}

}  // namespace rlt
