// Imitation: cross-entropy on the best action at every step of episodes that follow the best actions. It trains
// what must be remembered without the search for rewards.
#pragma once

#include <memory>

#include "tasks/environment.hpp"
#include "train/learner.hpp"
#include "train/run_config.hpp"

namespace rlt {

/// `environment`, which knows its best actions, must outlive the learner.
template <std::floating_point T>
std::unique_ptr<Learner<T>> make_imitate(const RunConfig& config, Environment& environment);

}  // namespace rlt
