#include "train/train_csv.hpp"

#include <algorithm>

namespace rlt {
namespace {

/// Of an interval in which nothing was counted: as of one.
double mean(double sum, Index count) {
  return sum / static_cast<double>(std::max<Index>(1, count));
}

}  // namespace

const std::vector<TrainColumn>& train_columns() {
  using Row = const TrainRow&;
  // clang-format off
  static const std::vector<TrainColumn> columns = {
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
  // clang-format on
  return columns;
}

std::vector<std::string> train_header() {
  std::vector<std::string> names;
  for (const TrainColumn& column : train_columns()) names.emplace_back(column.name);
  return names;
}

std::vector<CsvCell> train_cells(const TrainRow& row) {
  std::vector<CsvCell> cells;
  for (const TrainColumn& column : train_columns()) cells.push_back(column.cell(row));
  return cells;
}

}  // namespace rlt
