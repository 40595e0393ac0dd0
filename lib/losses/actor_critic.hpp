// What an actor and a critic that share a model learn from a rollout: advantage actor-critic (Mnih et al. 2016,
// arXiv 1602.01783, in the form of arXiv 2310.15719), and proximal policy optimisation (Schulman et al. 2017,
// arXiv 1707.06347).
#pragma once

#include "losses/loss.hpp"

namespace rlt {

struct ActorCriticConfig {
  Index actions = 0;
  double value_coefficient = 0.5;
  double entropy_coefficient = 0.001;
  double lambda = 0.95;  // of the returns of AdvantageActorCritic
  double clip = 0.2;     // of the ratio of ProximalPolicy
};

/// G_t = r_{t+1} + discount_{t+1} ((1 - lambda) V_{t+1} + lambda G_{t+1})
inline double lambda_return(double reward, double discount, double lambda, double next_value,
                            double next_return) {
  return reward + discount * ((1 - lambda) * next_value + lambda * next_return);
}

/// What both losses read: outputs (B T, actions + 1), logits of the policy, then the value V; and at each step the
/// action that was taken, negative where none was.
template <std::floating_point T>
class ActorCritic : public Loss<T> {
 public:
  explicit ActorCritic(const ActorCriticConfig& config) : config_(config) {}

  Index outputs() const override { return config_.actions + 1; }
  Index scored(const Targets& targets) const override;

 protected:
  /// Adds what one step lost: the parts of the loss before their coefficients.
  void count(double policy, double value, double entropy, Score& score) const;

  ActorCriticConfig config_;
};

/// No action at the last step, whose value alone is read; reals (B T, 2): the reward that followed and the discount of
/// what came after it, 0 where the episode ended. With A_t = G_t - V_t, where G_t is not differentiated,
///   loss = -log p(a_t) A_t + value_coefficient A_t^2 - entropy_coefficient entropy
template <std::floating_point T>
class AdvantageActorCritic final : public ActorCritic<T> {
 public:
  using ActorCritic<T>::ActorCritic;
  void apply(const Targets& targets, T scale, Matrix<T> outputs,
             std::span<Score> scores) const override;

 private:
  using ActorCritic<T>::config_;
};

/// Targets: reals (B T, 3): log p(a_t) when it was taken, advantage A_t, return G_t. With
/// the ratio r = p(a_t) / p_old(a_t),
///   loss = -min(r A_t, clamp(r, 1 - clip, 1 + clip) A_t) + value_coefficient (V_t - G_t)^2 / 2
///          - entropy_coefficient entropy
template <std::floating_point T>
class ProximalPolicy final : public ActorCritic<T> {
 public:
  using ActorCritic<T>::ActorCritic;
  void apply(const Targets& targets, T scale, Matrix<T> outputs,
             std::span<Score> scores) const override;

 private:
  using ActorCritic<T>::config_;
};

}  // namespace rlt
