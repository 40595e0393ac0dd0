#include <fmt/format.h>

#include <chrono>
#include <vector>

#include "bench.hpp"
#include "tasks/environment.hpp"

namespace rlt {

std::vector<std::string> environment_columns() {
  return with_machine_columns({"task", "options", "batch", "steps_per_s"});
}

void bench_environment(const BenchCommand& command, CsvFile* csv) {
  const RunConfig& config = command.config;
  const std::unique_ptr<Environment> environment =
      make_environment(config.task, parse_options("task-option", config.task_options));
  const EnvironmentInfo& info = environment->info();
  const Index rows = config.batch;
  environment->resize(rows);
  std::vector<float> observations(static_cast<std::size_t>(rows * info.observations));
  const Matrix<float> seen(observations.data(), rows, info.observations);
  std::vector<int> actions(static_cast<std::size_t>(rows));
  std::vector<float> rewards(actions.size());
  std::vector<std::uint8_t> ended(actions.size(), 1);
  const Rng rng = Rng(config.seed).stream("bench");
  std::uint64_t episode = 0;
  constexpr Index steps_per_repeat = 10'000;
  std::vector<double> speeds;
  for (Index repeat = 0; repeat < command.repeats; ++repeat) {
    const auto start = std::chrono::steady_clock::now();
    for (Index step = 0; step < steps_per_repeat; ++step) {
      for (Index row = 0; row < rows; ++row) {
        const auto at = static_cast<std::size_t>(row);
        if (ended[at] != 0) environment->reset(row, rng.stream(episode++), seen.row(row));
        actions[at] = static_cast<int>(rng.below(step * rows + row, info.actions));
      }
      environment->act(actions, seen, rewards, ended);
    }
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    speeds.push_back(static_cast<double>(rows * steps_per_repeat) / taken.count());
  }
  const double speed = measurements(speeds).median;
  if (csv != nullptr) {
    csv->append(with_machine({config.task, option_summary(config), rows, speed}));
    csv->flush();
    return;
  }
  fmt::print("{}: {} episodes side by side, uniform actions, 1 thread, {} repeats\n", config.task,
             rows, command.repeats);
  fmt::print("  environment steps per second {:12.0f}\n", speed);
}

}  // namespace rlt
