#include "train/play_csv.hpp"

#include <algorithm>
#include <cmath>

namespace rlt {
namespace {

double per_episode(const PlayRow& row, double sum) {
  return sum / static_cast<double>(std::max<Index>(1, row.played.count));
}

/// The standard deviation of the returns.
double deviation(const PlayRow& row) {
  const double mean = row.played.mean_return();
  return std::sqrt(std::max(0.0, per_episode(row, row.played.squares) - mean * mean));
}

/// Missing where the environment has no idea of success.
CsvCell of_success(const PlayRow& row, const CsvCell& cell) {
  return row.environment.success.empty() ? CsvCell() : cell;
}

CsvCell known(double value) { return std::isnan(value) ? CsvCell() : CsvCell(value); }

CsvCell score_of(const PlayRow& row, double earned) {
  return known(normalised_score(earned, row.environment, *row.wanted));
}

}  // namespace

const std::vector<PlayColumn>& play_columns() {
  using Row = const PlayRow&;
  // clang-format off
  static const std::vector<PlayColumn> columns = {
      {"task", "environment trained and measured in", [](Row r) { return CsvCell(r.config.task); }},
      {"learner", "a2c, ppo, imitate or return_conditioned", [](Row r) { return CsvCell(r.config.learner); }},
      {"cell", "sequence cell", [](Row r) { return CsvCell(r.config.cell); }},
      {"options", "choices of cell and task that differ from the defaults, in training", [](Row r) { return CsvCell(option_summary(r.config)); }},
      {"parameters", "numbers trained", [](Row r) { return CsvCell(r.parameters); }},
      {"state_size", "numbers that an episode carries", [](Row r) { return CsvCell(r.state_size); }},
      {"learning_rate", "of training", [](Row r) { return CsvCell(r.config.learning_rate); }},
      {"entropy_coefficient", "of training", [](Row r) { return acts(r.config.learner) ? CsvCell(r.config.entropy) : CsvCell(); }},
      {"seed", "of the training run", [](Row r) { return CsvCell(r.config.seed); }},
      {"step", "updates before the measured checkpoint", [](Row r) { return CsvCell(r.step); }},
      {"select", "the measured checkpoint: best, last or a file", [](Row r) { return CsvCell(r.select); }},
      {"size", "of the environment played in: the corridor of tmaze", [](Row r) { return r.size == 0 ? CsvCell() : CsvCell(r.size); }},
      {"choice", "sample: actions drawn from the policy; greedy: the most likely ones", [](Row r) { return CsvCell(std::string(to_string(r.choice))); }},
      {"episodes", "played", [](Row r) { return CsvCell(r.played.count); }},
      {"successes", "of these, with the goal reached", [](Row r) { return of_success(r, r.played.successes); }},
      {"success", "successes / episodes", [](Row r) { return of_success(r, per_episode(r, static_cast<double>(r.played.successes))); }},
      {"return", "mean, not discounted", [](Row r) { return CsvCell(per_episode(r, r.played.returns)); }},
      {"return_deviation", "standard deviation of the returns", [](Row r) { return CsvCell(deviation(r)); }},
      {"episode_steps", "mean length", [](Row r) { return CsvCell(per_episode(r, static_cast<double>(r.played.steps))); }},
      {"best_return", "that no episode exceeds", [](Row r) { return CsvCell(r.environment.best_return); }},
      {"random_return", "mean of uniform actions", [](Row r) { return CsvCell(r.environment.random_return); }},
      {"memoryless_return", "mean of the best policy that remembers nothing", [](Row r) { return known(r.environment.memoryless_return); }},
      {"target_return", "that the policy was asked for (return_conditioned, as all columns up to data_score)", [](Row r) { return r.wanted ? CsvCell(r.wanted->target) : CsvCell(); }},
      {"expert_return", "mean of the environment's expert in the same episodes", [](Row r) { return r.wanted ? known(r.wanted->expert_return) : CsvCell(); }},
      {"score", "100 (return - random_return) / (expert_return - random_return)", [](Row r) { return r.wanted ? score_of(r, r.played.mean_return()) : CsvCell(); }},
      {"data_episodes", "recorded episodes in the data", [](Row r) { return r.wanted ? CsvCell(r.wanted->recorded.episodes) : CsvCell(); }},
      {"data_return", "mean return of the recorded episodes", [](Row r) { return r.wanted ? CsvCell(r.wanted->recorded.mean) : CsvCell(); }},
      {"data_best_return", "the largest of them", [](Row r) { return r.wanted ? CsvCell(r.wanted->recorded.best) : CsvCell(); }},
      {"data_score", "as score, of data_return", [](Row r) { return r.wanted ? score_of(r, r.wanted->recorded.mean) : CsvCell(); }},
      {"eval_seed", "of the episodes", [](Row r) { return CsvCell(r.seed); }},
  };
  // clang-format on
  return columns;
}

double normalised_score(double earned, const EnvironmentInfo& environment, const Wanted& wanted) {
  const double random = environment.random_return;
  return 100 * (earned - random) / (wanted.expert_return - random);
}

std::vector<std::string> play_header() { return header_of(play_columns()); }

std::vector<CsvCell> play_cells(const PlayRow& row) { return cells_of(play_columns(), row); }

}  // namespace rlt
