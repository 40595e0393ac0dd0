// From gradients to the next weights: what every learner does last.
#pragma once

#include "model/sequence_model.hpp"
#include "optim/optimizer.hpp"
#include "train/checkpoint.hpp"
#include "train/run_config.hpp"

namespace rlt {

/// Clips the gradients, which come from `score` on sequences of `extent`, and makes the optimiser's update `number`
/// (from 1). Error(diverged) when loss or gradients are not finite; `first`: the process made none before.
template <std::floating_point T>
void make_update(SequenceModel<T>& model, Optimizer<T>& optimizer, const RunConfig& config,
                 const Score& score, Extent extent, Index number, double learning_rate, bool first,
                 TrainingState& state);

}  // namespace rlt
