#include "train/train_csv.hpp"

#include <algorithm>

namespace rlt {
namespace {

/// Of an interval in which nothing was counted: as of one.
double mean(double sum, Index count) {
  return sum / static_cast<double>(std::max<Index>(1, count));
}

/// Missing where no episode ended.
CsvCell of_episodes(const TrainRow& row, double sum) {
  if (row.state.episodes.count == 0) return {};
  return sum / static_cast<double>(row.state.episodes.count);
}

}  // namespace

std::vector<TrainColumn> train_columns(std::string_view learner) {
  using Row = const TrainRow&;
  // clang-format off
  std::vector<TrainColumn> columns = {
      {"task", "task trained on", [](Row r) { return CsvCell(r.config.task); }},
      {"cell", "sequence cell", [](Row r) { return CsvCell(r.config.cell); }},
      {"seed", "of the training run", [](Row r) { return CsvCell(r.config.seed); }},
      {"step", "updates so far", [](Row r) { return CsvCell(r.state.step); }},
      {"sequences", "trained on so far", [](Row r) { return CsvCell(r.state.sequences); }},
      {"tokens", "trained on so far", [](Row r) { return CsvCell(r.state.tokens); }},
      {"wall_s", "seconds of training so far, over all parts of the run", [](Row r) { return CsvCell(r.state.wall_seconds); }},
      {"learning_rate", "of the latest step", [](Row r) { return CsvCell(r.learning_rate); }},
      {"loss", "mean over the scored positions since the row before, in nats", [](Row r) { return CsvCell(mean(r.state.interval.loss, r.state.interval.tokens)); }},
      {"token_accuracy", "share of these positions that were right", [](Row r) { return CsvCell(mean(static_cast<double>(r.state.interval.tokens_correct), r.state.interval.tokens)); }},
      {"sequence_accuracy", "share of the sequences since the row before with every scored position right", [](Row r) { return CsvCell(mean(static_cast<double>(r.state.interval.sequences_correct), r.state.interval.sequences)); }},
      {"gradient_norm", "global norm of the latest step, before clipping", [](Row r) { return CsvCell(r.state.gradient_norm); }},
  };
  const std::vector<TrainColumn> acting = {
      {"steps_per_s", "steps of the environment per second of training so far", [](Row r) { return CsvCell(static_cast<double>(r.state.tokens) / std::max(r.state.wall_seconds, 1e-9)); }},
      {"policy_loss", "mean of -log p(a) times the advantage, or of what PPO puts in its place", [](Row r) { return CsvCell(mean(r.state.interval.policy_loss, r.state.interval.tokens)); }},
      {"value_loss", "mean squared advantage, or half the squared error of the value (ppo)", [](Row r) { return CsvCell(mean(r.state.interval.value_loss, r.state.interval.tokens)); }},
      {"entropy", "mean entropy of the policy, in nats", [](Row r) { return CsvCell(mean(r.state.interval.entropy, r.state.interval.tokens)); }},
      {"episodes", "ended since the row before", [](Row r) { return CsvCell(r.state.episodes.count); }},
      {"successes", "of these, with the goal reached", [](Row r) { return CsvCell(r.state.episodes.successes); }},
      {"success", "successes / episodes", [](Row r) { return of_episodes(r, static_cast<double>(r.state.episodes.successes)); }},
      {"return", "mean return of these episodes, not discounted", [](Row r) { return of_episodes(r, r.state.episodes.returns); }},
      {"episode_steps", "their mean length", [](Row r) { return of_episodes(r, static_cast<double>(r.state.episodes.steps)); }},
  };
  // clang-format on
  if (acts(learner)) columns.insert(columns.end(), acting.begin(), acting.end());
  return columns;
}

std::vector<std::string> train_header(std::string_view learner) {
  return header_of(train_columns(learner));
}

std::vector<CsvCell> train_cells(const TrainRow& row) {
  return cells_of(train_columns(row.config.learner), row);
}

}  // namespace rlt
