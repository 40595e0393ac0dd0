#include "train/forecast_csv.hpp"

#include <cmath>

namespace rlt {
namespace {

/// Missing where nothing was counted.
CsvCell per(double sum, Index count) {
  return count == 0 ? CsvCell() : CsvCell(sum / static_cast<double>(count));
}

// Of the model alone.
CsvCell of_model(const ForecastRow& row, const CsvCell& cell) {
  return row.forecaster == "model" ? cell : CsvCell();
}

// Of marked events alone.
CsvCell of_marks(const ForecastRow& row, double value) {
  return row.score.time_loss == 0 ? CsvCell() : per(value, row.score.tokens);
}

}  // namespace

const std::vector<ForecastColumn>& forecast_columns() {
  using Row = const ForecastRow&;
  // clang-format off
  static const std::vector<ForecastColumn> columns = {
      {"task", "task trained and measured on", [](Row r) { return CsvCell(r.run.config.task); }},
      {"cell", "sequence cell", [](Row r) { return CsvCell(r.run.config.cell); }},
      {"options", "choices of cell and task that differ from the defaults", [](Row r) { return CsvCell(option_summary(r.run.config)); }},
      {"learning_rate", "of training", [](Row r) { return CsvCell(r.run.config.learning_rate); }},
      {"seed", "of the training run", [](Row r) { return CsvCell(r.run.config.seed); }},
      {"step", "updates before the measured checkpoint", [](Row r) { return CsvCell(r.run.step); }},
      {"select", "the measured checkpoint: best, last or a file", [](Row r) { return CsvCell(r.run.select); }},
      {"split", "the set: valid or test", [](Row r) { return CsvCell(r.run.set.split); }},
      {"forecaster", "model, or what is held against it (`rlt tasks NAME`)", [](Row r) { return CsvCell(r.forecaster); }},
      {"parameters", "numbers trained", [](Row r) { return of_model(r, r.run.parameters); }},
      {"state_size", "numbers that a sequence carries after the longest one of the set", [](Row r) { return of_model(r, r.run.state_size); }},
      {"sequences", "sequences measured", [](Row r) { return CsvCell(std::ssize(r.run.set.examples)); }},
      {"tokens", "scored positions; of events: those that were seen", [](Row r) { return CsvCell(r.score.tokens); }},
      {"numbers", "real numbers foretold", [](Row r) { return CsvCell(r.score.numbers); }},
      {"loss", "of a scored position: squared error, or nats per event", [](Row r) { return per(r.score.loss, r.score.tokens); }},
      {"mse", "mean squared error", [](Row r) { return per(r.score.squared_error, r.score.numbers); }},
      {"rmse", "its root", [](Row r) { return r.score.numbers == 0 ? CsvCell() : CsvCell(std::sqrt(r.score.squared_error / static_cast<double>(r.score.numbers))); }},
      {"mae", "mean absolute error", [](Row r) { return per(r.score.absolute_error, r.score.numbers); }},
      {"time_loss", "of events: nats per event of the times alone", [](Row r) { return of_marks(r, r.score.time_loss); }},
      {"mark_accuracy", "of events: share of marks foretold", [](Row r) { return of_marks(r, static_cast<double>(r.score.tokens_correct)); }},
      {"data_hash", "of the set (`rlt data` prints it)", [](Row r) { return CsvCell(r.run.set.hash); }},
  };
  // clang-format on
  return columns;
}

std::vector<std::string> forecast_header() { return header_of(forecast_columns()); }

std::vector<CsvCell> forecast_cells(const ForecastRow& row) {
  return cells_of(forecast_columns(), row);
}

}  // namespace rlt
