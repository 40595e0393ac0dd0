// Plays whole episodes with a trained policy.
#pragma once

#include "model/sequence_model.hpp"
#include "tasks/environment.hpp"
#include "train/episodes.hpp"

namespace rlt {

/// How an action comes from the policy: drawn, or the most likely one.
enum class Choice { sample, greedy };
std::string_view to_string(Choice choice);

/// `count` episodes, of which `rows` at a time; they depend on the seed and the episode's number alone. `model` must
/// have been carved for (rows, 1). Throws Stopped when a stop was requested.
template <std::floating_point T>
Episodes play(SequenceModel<T>& model, Environment& environment, Index count, Index rows,
              std::uint64_t seed, Choice choice);

/// Mean return of the environment's expert in these episodes; NaN where there is no expert.
double expert_return(Environment& environment, Index count, std::uint64_t seed);

/// What a policy did at one step of an episode.
struct Turn {
  std::string picture;         // of what it faced, as the environment draws it
  std::vector<double> policy;  // probabilities of the actions
  double value = 0;            // what the critic foresaw; 0 without one
  int action = 0;
  double reward = 0;
};
/// The first of these episodes, step by step.
template <std::floating_point T>
std::vector<Turn> play_one(SequenceModel<T>& model, Environment& environment, std::uint64_t seed,
                           Choice choice);

}  // namespace rlt
