// Supervised learning: strings of a task with their labels, the mean loss over scored positions.
#pragma once

#include <memory>

#include "train/learner.hpp"
#include "train/run_config.hpp"

namespace rlt {

/// Draws every set of the run and takes the memory. Error(usage) when the task, which must outlive the learner,
/// cannot give them.
template <std::floating_point T>
std::unique_ptr<Learner<T>> make_supervised(const RunConfig& config, const Task& task);

}  // namespace rlt
