// The training loop of one run: steps, logs, evaluations, selection, checkpoints.
#pragma once

#include <string>

#include "base/error.hpp"
#include "train/run_config.hpp"
#include "train/run_folder.hpp"

namespace rlt {

/// How to run, which does not change the result.
struct TrainOptions {
  bool resume = false;
  bool quiet = false;
  double time_limit = 0;  // seconds of this process; 0: none
  double require = 0;     // validation sequence accuracy below which the exit code is `no`
  std::string command_line;
};

/// Trains on `task` into `folder` (begun, same settings). Returns done; no (below `require`); stopped or interrupted
/// with a checkpoint to resume from. Throws Error(diverged) when loss or gradient is not finite: then
/// the last good checkpoint stays.
Exit train(const RunConfig& config, const Task& task, const RunFolder& folder,
           const TrainOptions& options);

}  // namespace rlt
