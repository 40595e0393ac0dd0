// horizon.csv: every length that the search for a horizon tried, how the labels of the longest strings fared by
// position, and the horizon itself.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/csv_columns.hpp"
#include "train/evaluator.hpp"
#include "train/horizon.hpp"
#include "train/run_config.hpp"

namespace rlt {

/// What all rows of one search share.
struct Searched {
  const RunConfig& config;
  Index parameters = 0;
  Index step = 0;      // updates before the measured checkpoint
  std::string select;  // which checkpoint: best, last or a file's name
  std::string
      unit;  // of lengths: symbols, or TaskInfo::length_unit where the task is exact_in_units
  Index train_length = 0;  // end of the training window, in this unit
  Index max_length = 0;    // where the search ended at the latest
};

/// One row. Of `positions` low and high are positions from 1, of `horizon` the bracket.
struct HorizonRow {
  const Searched& run;
  std::string_view kind;  // length, positions or horizon
  Index low = 0;
  std::optional<Index> high = {};
  Index length_max = 0;  // in tokens; 0: no strings were read for this row
  std::optional<Index> sequences_correct = {};
  Index sequences = 0;
  Labels labels = {};
  std::string hash = {};
};

using HorizonColumn = CsvColumn<HorizonRow>;
/// In the order of the file.
const std::vector<HorizonColumn>& horizon_columns();

std::vector<std::string> horizon_header();
std::vector<CsvCell> horizon_cells(const HorizonRow& row);

/// The rows of kind `positions` for the strings of one set, whose labels were counted by evaluate().
std::vector<HorizonRow> position_rows(const Searched& run, const EvaluationSet& set,
                                      const ByPosition& by_position);

}  // namespace rlt
