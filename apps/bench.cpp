#include "bench.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>

#include "base/cpu.hpp"
#include "base/version.hpp"
#include "setting_flags.hpp"
#include "train/run_folder.hpp"

namespace rlt {

ModelConfig bench_model(const RunConfig& config) {
  TaskInfo symbols;
  symbols.inputs.resize(static_cast<std::size_t>(bench_inputs));
  symbols.outputs.resize(static_cast<std::size_t>(bench_outputs));
  return model_config(config, symbols);
}

Measurements measurements(std::vector<double> values) {
  std::ranges::sort(values);
  const auto at = [&](double share) {
    return values[static_cast<std::size_t>(
        std::lround(share * static_cast<double>(values.size() - 1)))];
  };
  const double median = at(0.5);
  return {.median = median, .least = values.front(), .spread = (at(0.75) - at(0.25)) / median};
}

std::vector<std::string> with_machine_columns(std::vector<std::string> columns) {
  columns.insert(columns.end(), {"commit", "processor"});
  return columns;
}

std::vector<CsvCell> with_machine(std::vector<CsvCell> cells) {
  cells.emplace_back(std::string(commit()));
  cells.emplace_back(processor_name());
  return cells;
}

namespace {

bool chose(const BenchCommand& command, const char* name) {
  return std::ranges::count(command.given, name) > 0;
}

Exit run(BenchCommand command, const std::vector<RunConfig>& configs,
         const std::vector<Index>& lengths) {
  const bool acts = chose(command, "task");
  if (acts && !is_environment(command.config.task)) {
    fail(Exit::usage, "--task {}: is no environment; cells are timed without a task",
         command.config.task);
  }
  // All are complete before the first is timed: an error costs nothing.
  std::vector<BenchCommand> cases;
  for (const RunConfig& config : configs) {
    command.config = config;
    if (acts) {
      cases.push_back(command);
      continue;
    }
    complete(command.config);
    std::vector<Index> batches = {config.batch};
    if (command.step && !chose(command, "batch")) batches = {1, 8};
    for (const Index batch : batches) {
      command.config.batch = batch;
      for (const Index length : lengths) {
        command.length = length;
        cases.push_back(command);
      }
    }
  }
  if (!acts) note_idle(command.given, cases.front().config);
  const std::optional<FolderLock> use = share_run_of(command.csv);
  std::optional<CsvFile> csv;
  if (!command.csv.empty()) {
    csv.emplace(open_csv(command.csv, acts           ? environment_columns()
                                      : command.step ? step_columns()
                                                     : training_columns()));
  }
  const auto measure = acts ? bench_environment : command.step ? bench_step : bench_training;
  for (const BenchCommand& one : cases) measure(one, csv ? &*csv : nullptr);
  return Exit::done;
}

Action declare_bench(const Flags& flags) {
  const auto command = std::make_shared<BenchCommand>();
  const auto settings = std::make_shared<SettingFlags>(
      flags, command->config,
      std::vector<std::string>{"task",    "task-option",  "cell",     "d-model",   "layers",
                               "heads",   "ff",           "dropout",  "positions", "cell-option",
                               "batch",   "optimizer",    "lr",       "beta1",     "beta2",
                               "epsilon", "weight-decay", "momentum", "seed",      "precision"},
      std::vector<std::string>{"cell", "d-model", "layers", "heads", "ff", "batch"});
  const auto lengths = std::make_shared<std::vector<Index>>(1, command->length);
  flags
      .value("length", "LIST",
             with_values("tokens of each sequence", fmt::format("from 1 to {}", max_length)),
             [lengths](const std::string& text) {
               *lengths = parse_list("length", text, 1, max_length);
             })
      .shows("50");
  flags.number<Index>("repeats", command->repeats, 1, 1'000'000,
                      "measured steps; medians are printed");
  flags.toggle(
      "step", command->step,
      "time one token with the state carried instead, after --length tokens; batch 1 and 8");
  flags.text("csv", command->csv, "FILE",
             "CSV file to append to, instead of a table on stdout; - for stdout");
  flags.footer(
      "A LIST is such as 16,64 or 16-256*2 or 100-500:100 (cells: linear,deltanet): every "
      "combination is timed.");
  return [command, settings, lengths] {
    command->given = settings->complete();
    return run(*command, settings->combinations(), *lengths);
  };
}

}  // namespace

const Command bench_command = {
    "bench",
    "time a training step beside its dense products alone, or one token, or an environment",
    declare_bench};

}  // namespace rlt
