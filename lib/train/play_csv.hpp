// eval.csv of a run in an environment: one row for each set of episodes played.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/csv_columns.hpp"
#include "tasks/environment.hpp"
#include "train/data_identity.hpp"
#include "train/play.hpp"
#include "train/run_config.hpp"

namespace rlt {

/// What a return-conditioned policy was asked for, and is held against.
struct Wanted {
  double target = 0;
  double expert_return = 0;  // in the episodes that were played; NaN: there is no expert
  Returns recorded;          // what it learned from
};

/// Everything that a row says.
struct PlayRow {
  const RunConfig& config;
  const EnvironmentInfo& environment;  // that was played in
  Choice choice;
  Episodes played;
  std::uint64_t seed = 0;  // of the episodes
  Index size = 0;          // of the environment, as info.size_option counts; 0: it has none
  Index parameters = 0;
  Index state_size = 0;
  Index step = 0;                     // updates before the measured checkpoint
  std::string select;                 // which checkpoint: best, last or a file's name
  std::optional<Wanted> wanted = {};  // of a return-conditioned policy
};

using PlayColumn = CsvColumn<PlayRow>;
/// In the order of the file.
const std::vector<PlayColumn>& play_columns();

/// 100 (earned - random) / (expert - random), NaN without an expert.
double normalised_score(double earned, const EnvironmentInfo& environment, const Wanted& wanted);

std::vector<std::string> play_header();
std::vector<CsvCell> play_cells(const PlayRow& row);

}  // namespace rlt
