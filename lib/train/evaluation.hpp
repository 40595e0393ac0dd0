// eval.csv of a run with examples: what it says depends on what the task asks for. Classes: eval_csv.hpp; real numbers:
// forecast_csv.hpp.
#pragma once

#include <string>
#include <vector>

#include "io/csv.hpp"
#include "train/evaluator.hpp"

namespace rlt {

/// A model measured on a set.
struct Measured {
  const RunConfig& config;
  const EvaluationSet& set;
  Score score;
  Index parameters = 0;  // numbers trained
  Index state_size = 0;  // numbers carried by a sequence after the longest string of the set
  Index step = 0;        // updates before the measured checkpoint
  std::string select;    // which checkpoint: best, last or a file's name
};

std::vector<std::string> evaluation_header(const TaskInfo& info);
/// The row of the model, with the baselines of the set beside it or in rows of their own.
std::vector<std::vector<CsvCell>> evaluation_rows(const Task& task, const Measured& measured);
/// What the set's labels came to by position, a row of split SPLIT_positions for each entry: the sizes are its first and
/// last position, the baselines those of the whole set. Of classes only.
std::vector<std::vector<CsvCell>> position_rows(const Measured& measured,
                                                const ByPosition& by_position);
/// The score in words: "412 of 500 sequences, 20000 of 25000 tokens", "MSE 0.3112, MAE 0.4012".
std::string score_text(const TaskInfo& info, const Score& score);

}  // namespace rlt
