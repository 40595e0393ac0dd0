// Settings to which the task gives no meaning. Those that another setting takes the effect of: idle_settings.
#pragma once

#include "train/run_config.hpp"

namespace rlt {

/// Error(usage) naming the first setting that is not at its default although `task` has no use for it.
void require_applicable(const RunConfig& config, const TaskInfo& task);

/// A note where --train-size and a training set that was given differ.
void note_cut(const RunConfig& config, const Task& task);

}  // namespace rlt
