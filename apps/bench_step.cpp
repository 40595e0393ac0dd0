#include <fmt/format.h>

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
  Measurements token_us;
  Index state_size = 0;  // numbers of one sequence behind these
  double allocations = 0;
};

// Every sequence has read `length` tokens before each time that the clock starts: the state of attention grows with them.
template <std::floating_point T>
StepTiming time_steps(const BenchCommand& command) {
  const Index batch = command.config.batch;
  SequenceModel<T> model(bench_model(command.config));
  model.parameters().initialize(command.config.seed);
  model.carve({batch, 1}, "--d-model or --layers");
  const Index context = command.length + tokens_per_repeat;
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
  State<T> at_length = model.fresh_state(batch, context);
  for (Index b = 0; b < batch; ++b) at_length.copy(b, state, b);

  std::size_t heap_calls = 0;
  const auto microseconds = [&] {
    for (Index b = 0; b < batch; ++b) state.copy(b, at_length, b);
    const std::size_t allocated = allocations();
    const auto start = std::chrono::steady_clock::now();
    for (Index i = 0; i < tokens_per_repeat; ++i) step();
    const std::chrono::duration<double, std::micro> taken =
        std::chrono::steady_clock::now() - start;
    heap_calls += allocations() - allocated;
    return taken.count() / tokens_per_repeat;
  };
  microseconds();  // the first is not typical
  heap_calls = 0;
  std::vector<double> token_us(static_cast<std::size_t>(command.repeats));
  for (double& us : token_us) us = microseconds();
  return {.before_s = before.count(),
          .token_us = measurements(token_us),
          .state_size = model.state_size(command.length),
          .allocations = static_cast<double>(heap_calls) /
                         static_cast<double>(command.repeats * tokens_per_repeat)};
}

}  // namespace

std::vector<std::string> step_columns() {
  return with_machine_columns({"cell", "options", "precision", "d_model", "layers", "heads", "ff",
                               "batch", "length", "threads", "token_us", "tokens_per_s",
                               "state_size", "allocations_per_token", "token_min_us",
                               "token_spread", "before_s"});
}

void bench_step(const BenchCommand& command, CsvFile* csv) {
  const RunConfig& config = command.config;
  const StepTiming timing =
      config.precision == "double" ? time_steps<double>(command) : time_steps<float>(command);
  const Measurements& token_us = timing.token_us;
  const double speed = static_cast<double>(config.batch) / token_us.median * 1e6;
  if (csv != nullptr) {
    csv->append(
        with_machine({config.cell, option_summary(config), config.precision, config.d_model,
                      config.layers, config.heads, config.ff, config.batch, command.length,
                      Index{thread_count()}, token_us.median, speed, timing.state_size,
                      timing.allocations, token_us.least, token_us.spread, timing.before_s}));
    csv->flush();
    return;
  }
  fmt::print(
      "{}: d {} x {} layers, {} heads, ff {}, batch {}, after {} tokens, {} threads, {} repeats\n"
      "  {:.2f} us per step of all sequences (fastest {:.2f}, spread {:.0f} %), {:.0f} tokens per "
      "second, {} numbers of state per sequence, {:.0f} heap calls per step\n",
      config.cell, config.d_model, config.layers, config.heads, config.ff, config.batch,
      command.length, thread_count(), command.repeats, token_us.median, token_us.least,
      100 * token_us.spread, speed, timing.state_size, timing.allocations);
}

}  // namespace rlt
