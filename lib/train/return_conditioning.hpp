// Acting for a wanted return: at each step a policy reads what is still to be earned beside what it sees, as in
// the Decision Transformer (Chen et al. 2021, arXiv 2106.01345):
//   x_t = [R_t / scale, observation_t, one-hot of action_{t-1}],  R_t = sum of the rewards from step t on
// In recorded episodes R_t is known. While acting R_0 is a target, and R_t = R_{t-1} - reward_{t-1}.
// departs: the original reads return, observation and action as three positions; here a step is one, so that a cell's
// state moves once per step. There is no embedding of the step's number.
#pragma once

#include <memory>
#include <vector>

#include "tasks/environment.hpp"
#include "tasks/task.hpp"
#include "tasks/trajectory.hpp"

namespace rlt {

/// Numbers in x_t.
Index conditioned_size(const EnvironmentInfo& environment);
/// The largest return in size, of the best policy or of uniform actions.
double return_scale(const EnvironmentInfo& environment);

/// reals: x_t of every step; targets: the actions.
Example conditioned(const Trajectory& trajectory, const EnvironmentInfo& environment, double scale);

/// The same environment, seen by a policy that wants `target`: its observations are x_t.
class ReturnConditioned final : public Environment {
 public:
  /// The scale is that of the training.
  ReturnConditioned(std::unique_ptr<Environment> environment, double target, double scale);

  const EnvironmentInfo& info() const override { return info_; }
  void resize(Index rows) override;
  void reset(Index row, const Rng& episode, float* observation) override;
  void act(std::span<const int> actions, Matrix<float> observations, std::span<float> rewards,
           std::span<std::uint8_t> ended) override;
  int best_action(Index row) const override { return environment_->best_action(row); }
  int expert_action(Index row) const override { return environment_->expert_action(row); }
  bool succeeded(Index row) const override { return environment_->succeeded(row); }
  std::string picture(Index row) const override { return environment_->picture(row); }

 private:
  std::unique_ptr<Environment> environment_;
  EnvironmentInfo info_;
  double target_, scale_;
  std::vector<double> to_go_;  // (rows)
  std::vector<float> seen_;    // (rows, F): of the environment itself
};

}  // namespace rlt
