// What a run remembers of its data, so that symbols keep their numbers and other data are never taken for
// these: facts in the metadata of its checkpoints.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tasks/task.hpp"
#include "tasks/trajectory.hpp"
#include "train/checkpoint.hpp"

namespace rlt {

/// What recorded episodes earned, which a policy cloned from them is held against.
struct Returns {
  Index episodes = 0;
  double mean = 0;
  double best = 0;
};

struct DataIdentity {
  Symbols symbols;
  /// data_hash of each given set by its name (train, valid, test); none for strings that are drawn.
  std::map<std::string, std::string> hashes;
  std::optional<Returns> returns = {};  // of recorded episodes
};

DataIdentity identity_of(const Task& task);
/// Of recorded episodes, which are the train set; of none: empty.
DataIdentity identity_of(const std::vector<Trajectory>& recorded);

/// As facts ("vocabulary", "data_hash", "data_returns": JSON), and back: empty where a checkpoint does not say.
/// Error(failed) when the facts are no such JSON.
Facts to_facts(const DataIdentity& identity);
DataIdentity data_identity(const Facts& facts);
/// All facts but these.
Facts without_data_identity(Facts facts);

/// "valid set is not that of the run: data hash X, the run had Y" for each set that differs. `now` must be
/// numbered by the symbols of the run.
std::vector<std::string> changes(const DataIdentity& run, const DataIdentity& now);

}  // namespace rlt
