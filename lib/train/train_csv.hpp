// train.csv: one row for each interval of training.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/csv_columns.hpp"
#include "train/checkpoint.hpp"
#include "train/run_config.hpp"

namespace rlt {

/// Everything that a row says.
struct TrainRow {
  const RunConfig& config;
  const TrainingState& state;
  double learning_rate = 0;  // of the latest step
};

using TrainColumn = CsvColumn<TrainRow>;
/// In the order of the file; what acting adds stands only in the tables of learners that act.
std::vector<TrainColumn> train_columns(std::string_view learner = "supervised");

std::vector<std::string> train_header(std::string_view learner = "supervised");
std::vector<CsvCell> train_cells(const TrainRow& row);

}  // namespace rlt
