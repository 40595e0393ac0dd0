// Return-conditioned cloning: cross-entropy on the actions of recorded episodes, given the return that followed (return_conditioning.hpp).
// Windows of --segment steps; an episode is drawn as often as it has windows, and the window anywhere in it. Every
// window begins with a fresh state. Every tenth episode is held out, and the weights that foretell its actions best are
// selected: no reward of the environment is used in training. Where there are fewer than ten, the training episodes
// select too.
#pragma once

#include <memory>
#include <vector>

#include "tasks/trajectory.hpp"
#include "train/learner.hpp"
#include "train/run_config.hpp"

namespace rlt {

/// `recorded`: episodes of `environment`, which must outlive the learner and in which it is measured.
template <std::floating_point T>
std::unique_ptr<Learner<T>> make_return_conditioned(const RunConfig& config,
                                                    Environment& environment,
                                                    const std::vector<Trajectory>& recorded);

}  // namespace rlt
