// eval.csv: one row for each set that a model was measured on.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/csv_columns.hpp"
#include "train/evaluation.hpp"

namespace rlt {

/// Everything that a row says.
struct EvalRow {
  const Measured& run;
  Baselines baselines;  // of the set
};

using EvalColumn = CsvColumn<EvalRow>;
/// In the order of the file.
const std::vector<EvalColumn>& eval_columns();

std::vector<std::string> eval_header();
std::vector<CsvCell> eval_cells(const EvalRow& row);

}  // namespace rlt
