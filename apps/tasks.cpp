#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>

#include "commands.hpp"
#include "train/dataset.hpp"

namespace rlt {
namespace {

void print_drawn(const TaskInfo& info) {
  fmt::print("  inputs    {}\n", fmt::join(info.inputs, " "));
  fmt::print("  classes   {}\n", fmt::join(info.outputs, " "));
  fmt::print("  bins      in {}:", info.length_unit);
  for (const Index bin : {0, 1, 2}) {
    const Window window = bin_window(info, bin);
    fmt::print(" {}: {}-{}{}", bin, window.low, window.high, bin < 2 ? "," : "\n");
  }
}

void print_task(const TaskInfo& info) {
  const bool drawn = info.data.empty();
  fmt::print("{}{}: {}\n", info.name, drawn ? fmt::format(" (rule {})", info.rule) : "",
             info.summary);
  if (!info.source.empty()) fmt::print("  source    {}\n", info.source);
  fmt::print("  label     {}\n", info.label);
  if (!info.quirks.empty()) fmt::print("  quirks    {}\n", info.quirks);
  if (drawn) print_drawn(info);
  if (!drawn) fmt::print("  --data    {}\n", info.data);
  print_options("task-option", info.options);
  if (drawn) {
    fmt::print("  chance    {:.3f} per token\n", 1.0 / static_cast<double>(info.outputs.size()));
  }
}

/// An empty rule: paper.
Exit run(const std::string& name, const std::string& rule) {
  TaskOptions options;
  if (!rule.empty()) options.rule = rule;
  if (!name.empty()) {
    const TaskInfo info = task_info(name, options);
    if (!info.data.empty() && !rule.empty()) {
      fail(Exit::usage, "--rule {}: does not apply to task {}, whose sets are your own, not drawn",
           rule, name);
    }
    print_task(info);
    return Exit::done;
  }
  if (!rule.empty()) fail(Exit::usage, "--rule {}: says how one task draws: rlt tasks NAME", rule);
  for (const TaskEntry& entry : all_tasks()) {
    const TaskInfo info = entry.info(options);
    fmt::print("{:<14} {}{}\n", entry.name, info.summary,
               info.data.empty() ? "" : fmt::format(": --data {}", info.data));
  }
  return Exit::done;
}

Action declare(const Flags& flags) {
  const auto name = std::make_shared<std::string>();
  const auto rule = std::make_shared<std::string>();
  flags.argument("name", *name, "NAME", "task");
  flags.text("rule", *rule, "", "paper or honest [paper]");
  return [name, rule] { return run(*name, *rule); };
}

}  // namespace

const Command tasks_command = {"tasks", "list the tasks, or describe one", declare};

}  // namespace rlt
