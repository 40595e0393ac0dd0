// The loop around a learner: steps, logs, validations, selection, early stopping, checkpoints.
#pragma once

#include "train/learner.hpp"
#include "train/trainer.hpp"

namespace rlt {

/// Trains into `folder`, begun with the same settings. `facts` say in every checkpoint what the run is. Returns
/// done, or no (below options.require). Throws Stopped, with a checkpoint to resume from, and Error.
template <std::floating_point T>
Exit run_loop(Learner<T>& learner, const RunConfig& config, const Facts& facts,
              const RunFolder& folder, const TrainOptions& options);

}  // namespace rlt
