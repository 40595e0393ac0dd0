#include "train/return_conditioning.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace rlt {
namespace {

/// x_t; `before`: the action at the step before, negative at the first.
void write_step(double to_go, const float* observation, int before,
                const EnvironmentInfo& environment, float* x) {
  *x++ = static_cast<float>(to_go);
  x = std::copy_n(observation, environment.observations, x);
  std::fill_n(x, environment.actions, 0.0F);
  if (before >= 0) x[before] = 1;
}

}  // namespace

Index conditioned_size(const EnvironmentInfo& environment) {
  return 1 + environment.observations + environment.actions;
}

double return_scale(const EnvironmentInfo& environment) {
  return std::max(std::abs(environment.best_return), std::abs(environment.random_return));
}

Example conditioned(const Trajectory& trajectory, const EnvironmentInfo& environment,
                    double scale) {
  const Index size = conditioned_size(environment);
  Example example{
      .tokens = std::vector<int>(trajectory.actions.size(), 0),
      .targets = trajectory.actions,
      .reals = std::vector<float>(trajectory.actions.size() * static_cast<std::size_t>(size))};
  double to_go = 0;
  for (Index t = trajectory.steps() - 1; t >= 0; --t) {
    to_go += static_cast<double>(trajectory.rewards[static_cast<std::size_t>(t)]);
    const int before = t == 0 ? -1 : trajectory.actions[static_cast<std::size_t>(t - 1)];
    write_step(to_go / scale, trajectory.observations.data() + t * environment.observations, before,
               environment, example.reals.data() + t * size);
  }
  return example;
}

ReturnConditioned::ReturnConditioned(std::unique_ptr<Environment> environment, double target,
                                     double scale)
    : environment_(std::move(environment)),
      info_(environment_->info()),
      target_(target),
      scale_(scale) {
  info_.observations = conditioned_size(environment_->info());
}

void ReturnConditioned::resize(Index rows) {
  environment_->resize(rows);
  to_go_.assign(static_cast<std::size_t>(rows), target_);
  seen_.assign(static_cast<std::size_t>(rows * environment_->info().observations), 0);
}

void ReturnConditioned::reset(Index row, const Rng& episode, float* observation) {
  const EnvironmentInfo& inner = environment_->info();
  float* const seen = seen_.data() + row * inner.observations;
  environment_->reset(row, episode, seen);
  to_go_[static_cast<std::size_t>(row)] = target_;
  write_step(target_ / scale_, seen, -1, inner, observation);
}

void ReturnConditioned::act(std::span<const int> actions, Matrix<float> observations,
                            std::span<float> rewards, std::span<std::uint8_t> ended) {
  const EnvironmentInfo& inner = environment_->info();
  const Matrix<float> seen(seen_.data(), std::ssize(to_go_), inner.observations);
  environment_->act(actions, seen, rewards, ended);
  for (Index row = 0; row < seen.rows; ++row) {
    const auto at = static_cast<std::size_t>(row);
    to_go_[at] -= static_cast<double>(rewards[at]);
    write_step(to_go_[at] / scale_, seen.row(row), actions[at], inner, observations.row(row));
  }
}

}  // namespace rlt
