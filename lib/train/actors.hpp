// The rows of environments that a policy acts in: episode after episode, from rollout to rollout.
#pragma once

#include <concepts>
#include <cstdint>
#include <vector>

#include "model/sequence_model.hpp"
#include "tasks/environment.hpp"
#include "train/episodes.hpp"

namespace rlt {

/// An episode is a function of its generator and its actions. So a checkpoint needs no state of the environment: the
/// journal has, for each row, the number of its episode and the actions so far, and `resume` plays them again.
template <std::floating_point T>
class Actors {
 public:
  /// Begins an episode in each of `rows` rows. Episodes and actions depend on the seed and the row.
  Actors(Environment& environment, const SequenceModel<T>& model, Index rows, std::uint64_t seed);

  Index rows() const { return rows_; }
  /// (rows, numbers): what each row sees now; and 1 where it is the first thing of an episode.
  Matrix<const float> observations() const {
    return {observations_.data(), rows_, environment_.info().observations};
  }
  const std::uint8_t* starts() const { return starts_.data(); }
  /// The model's state before it reads these observations.
  State<T>& state() { return state_; }
  /// (rows, 2 + longest episode): episode, actions so far, and these actions.
  Matrix<T> journal() { return {journal_.data(), rows_, 2 + environment_.info().longest}; }

  /// The model reads the observations and the state moves on: outputs (rows, ..), the first `actions` of them
  /// logits, valid until the model's next call.
  Matrix<T> read(SequenceModel<T>& model);
  /// Draws an action for each row from the policy in `outputs`.
  const std::vector<int>& sample(Matrix<const T> outputs);
  /// Takes the actions that were drawn; ended episodes are counted, and others begin.
  void act(Episodes& episodes);
  /// After `act`: (rows) the reward of each action, and 1 where it ended the episode.
  const std::vector<float>& rewards() const { return rewards_; }
  const std::vector<std::uint8_t>& ended() const { return ended_; }

  /// `state()` and `journal()` were read from a checkpoint: plays the episodes to where they stood.
  void resume();

 private:
  Index actions_so_far(Index row) { return static_cast<Index>(journal().row(row)[1]); }
  void begin(Index row, Index episode);
  void take(std::span<const int> actions);

  Environment& environment_;
  Index rows_;
  Rng rng_;
  State<T> state_;
  std::vector<T> journal_;
  std::vector<float> observations_;
  std::vector<std::uint8_t> starts_;
  std::vector<int> actions_;
  std::vector<float> rewards_;
  std::vector<std::uint8_t> ended_;
  std::vector<double> earned_;  // so far, in the episode of each row
};

}  // namespace rlt
