#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <memory>

#include "commands.hpp"
#include "train/dataset.hpp"
#include "train/run_config.hpp"

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
  const bool drawn = info.is_drawn();
  fmt::print("{}{}: {}\n", info.name, drawn ? fmt::format(" (rule {})", info.rule) : "",
             info.summary);
  if (!info.source.empty()) fmt::print("  source    {}\n", info.source);
  fmt::print("  label     {}\n", info.label);
  if (!info.quirks.empty()) fmt::print("  quirks    {}\n", info.quirks);
  if (drawn) print_drawn(info);
  if (!info.data.empty()) {
    fmt::print("  --data    {}{}\n", info.data,
               info.makes_own_sets ? "; without it: as the options say" : "");
  }
  if (!info.parts.empty())
    fmt::print("  parts     of the test set: {}\n", fmt::join(info.parts, " "));
  print_options("task-option", info.options);
  if (drawn) {
    fmt::print("  chance    {:.3f} per token\n", 1.0 / static_cast<double>(info.outputs.size()));
  }
}

void print_environment(const EnvironmentInfo& info) {
  fmt::print("{} (environment): {}\n", info.name, info.summary);
  fmt::print("  source    {}\n", info.source);
  fmt::print("  sees      {} numbers\n", info.observations);
  fmt::print("  actions   {}\n", info.actions);
  fmt::print("  episodes  at most {} steps\n", info.longest);
  if (!info.success.empty()) fmt::print("  success   {}\n", info.success);
  fmt::print("  returns   no episode exceeds {:.4g}; uniform actions earn {:.4g}", info.best_return,
             info.random_return);
  if (info.random_error > 0) fmt::print(" (measured, +- {:.1g})", info.random_error);
  if (!std::isnan(info.memoryless_return)) {
    fmt::print("; without memory at best {:.4g}", info.memoryless_return);
  }
  fmt::print("\n  learners  a2c, ppo, return_conditioned{}\n",
             info.knows_best_action ? ", imitate" : "");
  if (has_expert(info)) {
    fmt::print("  expert    {}\n", info.expert.empty() ? "the best action" : info.expert);
  }
  fmt::print("  --data    FILE.csv of recorded episodes (return_conditioned); rlt data --policy\n");
  print_options("task-option", info.options);
}

/// An empty rule: paper.
Exit run(const std::string& name, const std::string& rule) {
  TaskOptions options;
  if (!rule.empty()) options.rule = rule;
  if (is_environment(name)) {
    if (!rule.empty()) fail(Exit::usage, "--rule {}: {} is an environment", rule, name);
    print_environment(make_environment(name, {})->info());
    return Exit::done;
  }
  if (!name.empty()) {
    const TaskInfo info = task_info(name, options);
    if (!info.is_drawn() && !rule.empty()) {
      fail(Exit::usage, "--rule {}: does not apply to task {}, whose sets are given, not drawn",
           rule, name);
    }
    print_task(info);
    return Exit::done;
  }
  if (!rule.empty()) fail(Exit::usage, "--rule {}: says how one task draws: rlt tasks NAME", rule);
  for (const TaskEntry& entry : all_tasks()) {
    const TaskInfo info = entry.info(options);
    fmt::print(
        "{:<16} {}{}\n", entry.name, info.summary,
        info.data.empty() || info.makes_own_sets ? "" : fmt::format(": --data {}", info.data));
  }
  fmt::print("Environments, to act in:\n");
  for (const EnvironmentEntry& entry : all_environments()) {
    fmt::print("{:<16} {}\n", entry.name, entry.make({})->info().summary);
  }
  return Exit::done;
}

Action declare_tasks(const Flags& flags) {
  const auto name = std::make_shared<std::string>();
  const auto rule = std::make_shared<std::string>();
  flags.argument("name", *name, "NAME", "task");
  flags.text("rule", *rule, "", "paper or honest [paper]");
  return [name, rule] { return run(*name, *rule); };
}

}  // namespace

const Command tasks_command = {"tasks", "list the tasks, or describe one", declare_tasks};

}  // namespace rlt
