// eval.csv where real numbers are asked: one row for each set and forecaster, the model first.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/csv_columns.hpp"
#include "train/evaluation.hpp"

namespace rlt {

struct ForecastRow {
  const Measured& run;
  std::string forecaster;  // "model", or the name of a Reference
  Score score;             // of the forecaster
};

using ForecastColumn = CsvColumn<ForecastRow>;
/// In the order of the file.
const std::vector<ForecastColumn>& forecast_columns();

std::vector<std::string> forecast_header();
std::vector<CsvCell> forecast_cells(const ForecastRow& row);

}  // namespace rlt
