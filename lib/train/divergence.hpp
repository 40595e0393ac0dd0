// What to tell of a run whose numbers are no longer finite.
#pragma once

#include <string_view>

#include "model/sequence_model.hpp"
#include "train/checkpoint.hpp"

namespace rlt {

/// Gradients of this global norm, after clipping, may leave the range of T when Adam squares them. `optimizer`:
/// OptimizerConfig::kind.
template <std::floating_point T>
bool squares_overflow(std::string_view optimizer, double norm);

/// Error(diverged) of the step `state.step`, just computed on sequences of `extent` with the mean `loss`. Names
/// what gave the first number that is not finite, in the order of computation: forward pass, loss, gradients from
/// the last parameter to the first, their squares. `first_update`: no step was made from these weights before.
template <std::floating_point T>
[[noreturn]] void report_divergence(SequenceModel<T>& model, Extent extent, double loss,
                                    const TrainingState& state, bool first_update);

}  // namespace rlt
