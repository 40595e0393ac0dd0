// What a run remembers of its data, so that symbols keep their numbers and other data are never taken for
// these: facts in the metadata of its checkpoints.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tasks/task.hpp"
#include "train/checkpoint.hpp"

namespace rlt {

struct DataIdentity {
  Symbols symbols;
  /// data_hash of each given set by its name (train, valid, test); none for strings that are drawn.
  std::map<std::string, std::string> hashes;
};

DataIdentity identity_of(const Task& task);

/// As facts ("vocabulary", "data_hash": JSON), and back: empty where a checkpoint does not say.
/// Error(failed) when the facts are no such JSON.
Facts to_facts(const DataIdentity& identity);
DataIdentity data_identity(const Facts& facts);
/// All facts but these.
Facts without_data_identity(Facts facts);

/// "valid set is not that of the run: data hash X, the run had Y" for each set that differs. `now` must be
/// numbered by the symbols of the run.
std::vector<std::string> changes(const DataIdentity& run, const DataIdentity& now);

}  // namespace rlt
