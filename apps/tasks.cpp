#include <fmt/format.h>
#include <fmt/ranges.h>

#include "commands.hpp"
#include "train/dataset.hpp"

namespace rlt {
namespace {

/// The --data of a task that reads the user's own; empty for one that draws its strings.
std::string_view data_of(std::string_view task) {
  if (task == "file") return "FOLDER with train.src, train.tgt, ...";
  if (task == "text") return "FILE or FOLDER of UTF-8 text";
  return {};
}

void print_task(const std::string& name, const std::string& rule) {
  const std::unique_ptr<Task> task =
      make_task(name, TaskOptions{.rule = rule, .data = {}, .options = {}});
  const TaskInfo& info = task->info();
  fmt::print("{} (rule {}): {}\n", info.name, info.rule, info.summary);
  fmt::print("  source    {}\n", info.source);
  fmt::print("  label     {}\n", info.label);
  if (!info.quirks.empty()) fmt::print("  quirks    {}\n", info.quirks);
  fmt::print("  inputs    {}\n", fmt::join(info.inputs, " "));
  fmt::print("  classes   {}\n", fmt::join(info.outputs, " "));
  fmt::print("  bins      in {}:", info.length_unit);
  for (const Index bin : {0, 1, 2}) {
    const Window window = bin_window(info, bin);
    fmt::print(" {}: {}-{}{}", bin, window.low, window.high, bin < 2 ? "," : "\n");
  }
  print_options("task-option", info.options);
  fmt::print("  chance    {:.3f} a token\n", 1.0 / static_cast<double>(info.outputs.size()));
}

}  // namespace

Exit run_tasks(const std::string& name, const std::string& rule) {
  if (!name.empty()) {
    print_task(name, rule);
    return Exit::done;
  }
  for (const TaskEntry& entry : all_tasks()) {
    if (const std::string_view data = data_of(entry.name); !data.empty()) {
      fmt::print("{:<14} your own data: --task {} --data {}\n", entry.name, entry.name, data);
      continue;
    }
    const TaskOptions options{.rule = rule, .data = {}, .options = {}};
    fmt::print("{:<14} {}\n", entry.name, entry.make(options)->info().summary);
  }
  return Exit::done;
}

}  // namespace rlt
