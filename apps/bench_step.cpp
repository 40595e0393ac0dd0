#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "base/allocations.hpp"
#include "base/parallel.hpp"
#include "bench.hpp"
#include "model/sequence_model.hpp"

namespace rlt {
namespace {

constexpr Index tokens_per_repeat = 100;  // the clock is read once for so many

struct StepTiming {
  double before_s = 0;  // of the tokens before
  double token_us = 0;
  Index state_size = 0;  // numbers of one sequence behind these
  double allocations = 0;
};

// Every sequence has read `length` tokens before the clock starts: the state of attention grows with them.
template <std::floating_point T>
StepTiming time_steps(const BenchCommand& command, Index batch) {
  SequenceModel<T> model(bench_model(command.config));
  model.parameters().initialize(command.config.seed);
  model.carve({batch, 1}, "--d-model or --layers");
  const Index context = command.length + (command.repeats + 1) * tokens_per_repeat;
  State<T> state = model.fresh_state(batch, context);
  std::vector<int> tokens(static_cast<std::size_t>(batch));
  const Rng rng = Rng(command.config.seed).stream("bench");
  Index read = 0;
  const auto step = [&] {
    for (int& token : tokens) token = static_cast<int>(rng.below(read++, bench_inputs));
    model.forward({{batch, 1}, tokens.data()}, {.state = &state, .keep = Pass<T>::Keep::nothing});
  };
  const auto begin = std::chrono::steady_clock::now();
  for (Index i = 0; i < command.length; ++i) step();
  const std::chrono::duration<double> before = std::chrono::steady_clock::now() - begin;
  for (Index i = 0; i < tokens_per_repeat; ++i) step();

  std::vector<double> token_us;
  token_us.reserve(static_cast<std::size_t>(command.repeats));
  const std::size_t allocated = allocations();
  for (Index repeat = 0; repeat < command.repeats; ++repeat) {
    const auto start = std::chrono::steady_clock::now();
    for (Index i = 0; i < tokens_per_repeat; ++i) step();
    const std::chrono::duration<double, std::micro> taken =
        std::chrono::steady_clock::now() - start;
    token_us.push_back(taken.count() / tokens_per_repeat);
  }
  const auto heap_calls = static_cast<double>(allocations() - allocated);
  return {.before_s = before.count(),
          .token_us = median(token_us),
          .state_size = model.state_size(command.length),
          .allocations = heap_calls / static_cast<double>(command.repeats * tokens_per_repeat)};
}

}  // namespace

void bench_step(const BenchCommand& command, const std::vector<Index>& batches) {
  const RunConfig& config = command.config;
  std::optional<CsvFile> csv;
  if (!command.csv.empty()) {
    csv.emplace(open_csv(command.csv, {"cell", "d_model", "layers", "heads", "ff", "batch",
                                       "length", "threads", "token_us", "tokens_per_s",
                                       "state_size", "allocations_per_token", "before_s"}));
  } else {
    fmt::print("{}: d {} x {} layers, {} heads, ff {}, after {} tokens, {} threads, {} repeats\n",
               config.cell, config.d_model, config.layers, config.heads, config.ff, command.length,
               thread_count(), command.repeats);
  }
  for (const Index batch : batches) {
    const StepTiming timing = config.precision == "double" ? time_steps<double>(command, batch)
                                                           : time_steps<float>(command, batch);
    const double speed = static_cast<double>(batch) / timing.token_us * 1e6;
    if (csv) {
      csv->append({config.cell, config.d_model, config.layers, config.heads, config.ff, batch,
                   command.length, Index{thread_count()}, timing.token_us, speed, timing.state_size,
                   timing.allocations, timing.before_s});
      csv->flush();
      continue;
    }
    fmt::print(
        "  batch {:4}: {:9.2f} us per step of all sequences, {:9.0f} tokens per second, {} numbers "
        "of state per sequence, {:.0f} heap calls per step\n",
        batch, timing.token_us, speed, timing.state_size, timing.allocations);
  }
}

}  // namespace rlt
