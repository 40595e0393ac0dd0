#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <fstream>
#include <memory>

#include "base/allocations.hpp"
#include "base/parallel.hpp"
#include "bench.hpp"
#include "losses/cross_entropy.hpp"
#include "model/training_step.hpp"
#include "optim/optimizer.hpp"
#include "tensor/fma_peak.hpp"
#include "tensor/gemm.hpp"

namespace rlt {
namespace {

template <typename Work>
double milliseconds(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  const auto stop = std::chrono::steady_clock::now();
  return std::chrono::duration<double, std::milli>(stop - start).count();
}

// Of this case alone, where the system lets its mark be set back.
void forget_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

double peak_mebibytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

struct Timing {
  Measurements step_ms, forward_ms, floor_ms;
  double allocations = 0;
  double operations = 0;  // of the dense products of a step, in thousand millions
  double peak_gflops = 0;
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
  timing.step_ms = measurements(step_ms);
  timing.forward_ms = measurements(forward_ms);
  timing.floor_ms = measurements(floor_ms);
  for (const GemmCall<T>& call : products) {
    const Index inner = call.kind == GemmCall<T>::Kind::ab ? call.a.cols : call.a.rows;
    timing.operations += 2e-9 * static_cast<double>(call.c.rows * call.c.cols * inner);
  }
  timing.peak_gflops = fma_peak_gflops<T>();
  return timing;
}

}  // namespace

std::vector<std::string> training_columns() {
  return with_machine_columns({"cell",
                               "options",
                               "precision",
                               "d_model",
                               "layers",
                               "heads",
                               "ff",
                               "batch",
                               "length",
                               "threads",
                               "step_ms",
                               "forward_ms",
                               "floor_ms",
                               "step_over_floor",
                               "tokens_per_s",
                               "peak_mib",
                               "allocations_per_step",
                               "step_min_ms",
                               "step_spread",
                               "gflops",
                               "peak_gflops",
                               "peak_fraction",
                               "floor_peak_fraction"});
}

void bench_training(const BenchCommand& command, CsvFile* csv) {
  const RunConfig& config = command.config;
  forget_peak();
  const Timing timing =
      config.precision == "double" ? time_model<double>(command) : time_model<float>(command);
  const double tokens = static_cast<double>(config.batch * command.length);
  const double ratio = timing.step_ms.median / timing.floor_ms.median;
  const double speed = tokens / timing.step_ms.median * 1e3;
  const double gflops = timing.operations / timing.step_ms.median * 1e3;
  const double floor_gflops = timing.operations / timing.floor_ms.median * 1e3;
  if (csv != nullptr) {
    csv->append(with_machine({config.cell,
                              option_summary(config),
                              config.precision,
                              config.d_model,
                              config.layers,
                              config.heads,
                              config.ff,
                              config.batch,
                              command.length,
                              Index{thread_count()},
                              timing.step_ms.median,
                              timing.forward_ms.median,
                              timing.floor_ms.median,
                              ratio,
                              speed,
                              peak_mebibytes(),
                              timing.allocations,
                              timing.step_ms.least,
                              timing.step_ms.spread,
                              gflops,
                              timing.peak_gflops,
                              gflops / timing.peak_gflops,
                              floor_gflops / timing.peak_gflops}));
    csv->flush();
    return;
  }
  fmt::print("{}: d {} x {} layers, {} heads, ff {}, batch {}, length {}, {} threads, {} repeats\n",
             config.cell, config.d_model, config.layers, config.heads, config.ff, config.batch,
             command.length, thread_count(), command.repeats);
  fmt::print("  training step       {:9.3f} ms  (median; forward, backward, optimiser)\n",
             timing.step_ms.median);
  fmt::print("  fastest, spread     {:9.3f} ms, {:.0f} %\n", timing.step_ms.least,
             100 * timing.step_ms.spread);
  fmt::print("  forward alone       {:9.3f} ms\n", timing.forward_ms.median);
  fmt::print("  dense products alone{:9.3f} ms  (the floor)\n", timing.floor_ms.median);
  fmt::print("  step / floor        {:9.2f}\n", ratio);
  fmt::print(
      "  dense products      {:9.1f} GFLOP/s over the step, {:.0f} % of the processor's {:.0f}; "
      "alone {:.0f} %\n",
      gflops, 100 * gflops / timing.peak_gflops, timing.peak_gflops,
      100 * floor_gflops / timing.peak_gflops);
  fmt::print("  tokens per second   {:9.0f}\n", speed);
  fmt::print("  peak memory         {:9.1f} MiB\n", peak_mebibytes());
  fmt::print("  heap calls per step {:9.0f}\n", timing.allocations);
}

}  // namespace rlt
