// Settings that nothing would read: refused where the task gives them no meaning, told where another setting
// takes their effect.
#pragma once

#include "train/run_config.hpp"

namespace rlt {

/// Error(usage) naming the first setting that is not at its default although `task` has no use for it.
void require_applicable(const RunConfig& config, const TaskInfo& task);

/// A note for each setting without effect, such as --momentum with adam, and where --train-size and a
/// training set that was given differ.
void note_idle(const RunConfig& config, const Task& task);

}  // namespace rlt
