#include "tasks/registry.hpp"

#include "base/error.hpp"
#include "base/nearest.hpp"
#include "io/file.hpp"
#include "tasks/environment.hpp"

namespace rlt {
namespace {

const TaskEntry& find(std::string_view name) {
  std::vector<std::string> names;
  for (const TaskEntry& task : all_tasks()) {
    if (task.name == name) return task;
    names.emplace_back(task.name);
  }
  for (const EnvironmentEntry& environment : all_environments()) {
    names.emplace_back(environment.name);
  }
  fail(Exit::usage, "--task {}: unknown{}", name, suggestion(name, names));
}

}  // namespace

const std::vector<TaskEntry>& all_tasks() {
  static const std::vector<TaskEntry> tasks = {
#define RLT_TASK(name) {#name, name##_info, make_##name},
#include "tasks/tasks.def"
#undef RLT_TASK
  };
  return tasks;
}

TaskInfo task_info(std::string_view name, const TaskOptions& options) {
  if (options.rule != "paper" && options.rule != "honest") {
    fail(Exit::usage, "--rule {}: unknown{}", options.rule,
         suggestion(options.rule, {"paper", "honest"}));
  }
  TaskInfo info = find(name).info(options);
  complete_options("task-option", name, info.options, options.options);
  if (info.data.empty() && !options.data.empty()) {
    fail(Exit::usage, "--data {}: task {} makes its strings and reads no data", options.data, name);
  }
  return info;
}

std::unique_ptr<Task> make_task(std::string_view name, const TaskOptions& options) {
  const TaskInfo info = task_info(name, options);
  if (!info.data.empty() && options.data.empty() && !info.makes_own_sets) {
    fail(Exit::usage, "--task {}: needs --data {}", name, info.data);
  }
  if (!options.data.empty() && !file_exists(options.data)) {
    fail(Exit::failed, "--data {}: no such file or folder", options.data);
  }
  return find(name).make(options);
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
  // A window of n (counter languages) holds a string for every n; a window of symbols may hold none.
  if (info.length_unit == "symbols" && task.possible_length(window.high) < window.low) {
    fail(Exit::usage, "window [{}, {}] of task {} ({} rule): no string has such a length",
         window.low, window.high, info.name, info.rule);
  }
}

}  // namespace rlt
