// From what a task says that the outputs mean to the loss that scores them.
#pragma once

#include <memory>

#include "losses/loss.hpp"
#include "tasks/task.hpp"

namespace rlt {

/// Numbers that a model of the task puts out at each position where something is asked.
Index likelihood_outputs(const TaskInfo& info);
template <std::floating_point T>
std::unique_ptr<Loss<T>> make_loss(const TaskInfo& info);

}  // namespace rlt
