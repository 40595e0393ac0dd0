#include "bench.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>

#include "base/allocations.hpp"
#include "base/parallel.hpp"
#include "losses/cross_entropy.hpp"
#include "model/training_step.hpp"
#include "optim/optimizer.hpp"
#include "setting_flags.hpp"
#include "tensor/gemm.hpp"
#include "train/run_folder.hpp"

namespace rlt {

ModelConfig bench_model(const RunConfig& config) {
  TaskInfo symbols;
  symbols.inputs.resize(static_cast<std::size_t>(bench_inputs));
  symbols.outputs.resize(static_cast<std::size_t>(bench_outputs));
  return model_config(config, symbols);
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

namespace {

template <typename Work>
double milliseconds(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  const auto stop = std::chrono::steady_clock::now();
  return std::chrono::duration<double, std::milli>(stop - start).count();
}

double peak_mebibytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

struct Timing {
  double step_ms = 0;
  double forward_ms = 0;
  double floor_ms = 0;
  double allocations = 0;
};

// Step, forward and floor take turns, so that a slow moment of the machine meets all three.
template <std::floating_point T>
Timing time_model(const BenchCommand& command) {
  const RunConfig& config = command.config;
  SequenceModel<T> model(bench_model(config));
  model.parameters().initialize(config.seed);
  Optimizer<T> optimizer(optimizer_config(config), model.parameters().flat_size());
  const Extent extent{config.batch, command.length};
  model.carve(extent, "--batch, --length, --d-model or --layers");
  TrainingStep<T> training(model, std::make_unique<CrossEntropy<T>>(model.outputs()));
  Batch batch(extent);
  batch.reset(extent.batch, extent.steps);
  const Rng rng = Rng(config.seed).stream("bench");
  for (Index b = 0; b < extent.batch; ++b) {
    Example example;
    for (Index i = b * extent.steps; i < (b + 1) * extent.steps; ++i) {
      example.tokens.push_back(static_cast<int>(rng.below(2 * i, bench_inputs)));
      example.targets.push_back(static_cast<int>(rng.below(2 * i + 1, bench_outputs)));
    }
    batch.set(b, example);
  }

  Index steps = 0;
  const auto step = [&] {
    training.run(batch, {.rate = config.dropout, .key = rng});
    optimizer.update(model.parameters(), ++steps, config.learning_rate);
  };
  const auto forward = [&] { model.forward(batch.inputs(), {}); };
  std::vector<GemmCall<T>> products;
  record_gemm<T>(&products);
  step();
  record_gemm<T>(nullptr);
  const auto floor = [&] { replay_gemm<T>(products); };

  std::vector<double> step_ms;
  std::vector<double> forward_ms;
  std::vector<double> floor_ms;
  Timing timing;
  for (Index repeat = 0; repeat < command.repeats + 2; ++repeat) {
    const std::size_t before = allocations();
    const double a = milliseconds(step);
    timing.allocations = static_cast<double>(allocations() - before);
    const double b = milliseconds(forward);
    const double c = milliseconds(floor);
    // The floor writes into gradients and activations: start again from good parameters.
    model.parameters().initialize(config.seed);
    if (repeat < 2) continue;  // warm-up
    step_ms.push_back(a);
    forward_ms.push_back(b);
    floor_ms.push_back(c);
  }
  timing.step_ms = median(step_ms);
  timing.forward_ms = median(forward_ms);
  timing.floor_ms = median(floor_ms);
  return timing;
}

Exit run(const BenchCommand& command) {
  RunConfig config = command.config;
  if (std::ranges::count(command.given, "task") > 0) {
    if (!is_environment(config.task)) {
      fail(Exit::usage, "--task {}: is no environment; cells are timed without a task",
           config.task);
    }
    const std::optional<FolderLock> use = share_run_of(command.csv);
    bench_environment(command);
    return Exit::done;
  }
  complete(config);
  note_idle(command.given, config);
  BenchCommand chosen = command;
  chosen.config = config;
  const std::optional<FolderLock> use = share_run_of(command.csv);
  if (command.step) {
    const bool chose_batch = std::ranges::count(command.given, "batch") > 0;
    bench_step(chosen, chose_batch ? std::vector<Index>{config.batch} : std::vector<Index>{1, 8});
    return Exit::done;
  }
  const Timing timing =
      config.precision == "double" ? time_model<double>(chosen) : time_model<float>(chosen);
  const double tokens = static_cast<double>(config.batch * command.length);
  const double ratio = timing.step_ms / timing.floor_ms;
  const double speed = tokens / timing.step_ms * 1e3;
  if (!command.csv.empty()) {
    CsvFile csv =
        open_csv(command.csv, {"cell", "d_model", "layers", "heads", "ff", "batch", "length",
                               "threads", "step_ms", "forward_ms", "floor_ms", "step_over_floor",
                               "tokens_per_s", "peak_mib", "allocations_per_step"});
    csv.append({config.cell, config.d_model, config.layers, config.heads, config.ff, config.batch,
                command.length, Index{thread_count()}, timing.step_ms, timing.forward_ms,
                timing.floor_ms, ratio, speed, peak_mebibytes(), timing.allocations});
    csv.flush();
    return Exit::done;
  }
  fmt::print("{}: d {} x {} layers, {} heads, ff {}, batch {}, length {}, {} threads, {} repeats\n",
             config.cell, config.d_model, config.layers, config.heads, config.ff, config.batch,
             command.length, thread_count(), command.repeats);
  fmt::print("  training step       {:9.3f} ms  (median; forward, backward, optimiser)\n",
             timing.step_ms);
  fmt::print("  forward alone       {:9.3f} ms\n", timing.forward_ms);
  fmt::print("  dense products alone{:9.3f} ms  (the floor)\n", timing.floor_ms);
  fmt::print("  step / floor        {:9.2f}\n", ratio);
  fmt::print("  tokens per second   {:9.0f}\n", speed);
  fmt::print("  peak memory         {:9.1f} MiB\n", peak_mebibytes());
  fmt::print("  heap calls per step {:9.0f}\n", timing.allocations);
  return Exit::done;
}

Action declare(const Flags& flags) {
  const auto command = std::make_shared<BenchCommand>();
  const auto settings = std::make_shared<SettingFlags>(
      flags, command->config,
      std::vector<std::string>{"task",    "task-option",  "cell",     "d-model",   "layers",
                               "heads",   "ff",           "dropout",  "positions", "cell-option",
                               "batch",   "optimizer",    "lr",       "beta1",     "beta2",
                               "epsilon", "weight-decay", "momentum", "seed",      "precision"});
  flags.number<Index>("length", command->length, 1, max_length, "tokens of each sequence");
  flags.number<Index>("repeats", command->repeats, 1, 1'000'000,
                      "measured steps; medians are printed");
  flags.toggle(
      "step", command->step,
      "time one token with the state carried instead, after --length tokens; batch 1 and 8");
  flags.text("csv", command->csv, "FILE",
             "CSV file to append to, instead of a table on stdout; - for stdout");
  return [command, settings] {
    command->given = settings->complete();
    return run(*command);
  };
}

}  // namespace

const Command bench_command = {
    "bench",
    "time a training step beside its dense products alone, or one token, or an environment",
    declare};

}  // namespace rlt
