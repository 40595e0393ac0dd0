// Return-conditioned cloning: cross-entropy on the actions of recorded episodes, given the return that followed each
// (return_conditioning.hpp). Windows of --segment steps, each from a fresh state; an episode is drawn as often as it has
// windows, and the window lies anywhere in it. Every tenth episode is held out, and the weights that foretell its
// actions best are selected: training sees no reward but the recorded ones. Of fewer than ten none is held out, and the
// training episodes select.
// departs: from the Decision Transformer (arXiv 2106.01345) in that actions are classes, where it regresses real ones;
// that windows are whole episodes up to 256 steps by default, where it reads 20 steps at a time, also while acting: our
// cells act from a state that goes on to the end; and that weights are not selected by playing in the environment.
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
