// The training loop of one run: steps, logs, evaluations, selection, checkpoints.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "train/run_config.hpp"
#include "train/run_folder.hpp"

namespace rlt {

/// How to run, which does not change the result.
struct TrainOptions {
  bool resume =
      false;  // from last.safetensors; else the run begins, and replaces what is in the folder
  bool quiet = false;
  double require = 0;  // validation sequence accuracy below which the exit code is `no`
  std::string command_line;
};

/// Trains on `task` into `folder`, which the caller has locked. Returns done; no (below `require`); stopped or
/// interrupted, when StopRequests asked to, with a checkpoint to resume from. Throws Error(diverged) when loss or
/// gradient is not finite: then the last good checkpoint stays. Error(usage) is thrown before anything is
/// written; meta.json holds the exit code of every other end.
Exit train(const RunConfig& config, const Task& task, const RunFolder& folder,
           const TrainOptions& options);
/// The same in an environment, from its `recorded` episodes where the learner reads such.
Exit train(const RunConfig& config, Environment& environment, const RunFolder& folder,
           const TrainOptions& options, const std::vector<Trajectory>& recorded = {});

}  // namespace rlt
