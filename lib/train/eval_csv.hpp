// eval.csv: one row for each set that a model was measured on.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/csv.hpp"
#include "train/evaluator.hpp"

namespace rlt {

/// Everything that a row says.
struct EvalRow {
  const RunConfig& config;
  const EvaluationSet& set;
  Score score;
  Index parameters = 0;  // numbers trained
  Index state_size = 0;  // numbers carried by a sequence after the longest string of the set
  Index step = 0;        // updates before the measured checkpoint
  std::string select;    // which checkpoint: best, last or a file's name
  Baselines baselines;   // of the set
};

struct EvalColumn {
  std::string_view name;
  std::string_view meaning;
  CsvCell (*cell)(const EvalRow&);
};

/// In the order of the file.
const std::vector<EvalColumn>& eval_columns();

std::vector<std::string> eval_header();
std::vector<CsvCell> eval_cells(const EvalRow& row);

}  // namespace rlt
