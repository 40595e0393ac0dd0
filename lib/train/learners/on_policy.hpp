// Learning by rewards: rollouts of a policy in an environment, and updates from them.
//   a2c  advantage actor-critic as in arXiv 2310.15719: one update per rollout. The rollout is read once more from
//        the state kept from its start, with one observation beyond it for the last value (AdvantageActorCritic).
//   ppo  proximal policy optimisation, the same source's settings for Mystery Path: several passes over the rollout
//        in minibatches of whole sequences with their kept state; returns and advantages are computed once, with
//        the values at acting, and advantages are normalised in each minibatch (ProximalPolicy).
// The kept state is a constant made by older parameters; no gradient flows into it (truncated backpropagation).
#pragma once

#include <memory>

#include "tasks/environment.hpp"
#include "train/learner.hpp"
#include "train/run_config.hpp"

namespace rlt {

/// Begins an episode in every row and takes the memory. `environment` must outlive the learner.
template <std::floating_point T>
std::unique_ptr<Learner<T>> make_on_policy(const RunConfig& config, Environment& environment);

}  // namespace rlt
