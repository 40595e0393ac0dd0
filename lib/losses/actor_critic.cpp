#include "losses/actor_critic.hpp"

#include <algorithm>
#include <cmath>

#include "losses/policy.hpp"

namespace rlt {

template <std::floating_point T>
Index ActorCritic<T>::scored(const Targets& targets) const {
  const int* const last = targets.classes + targets.extent.rows();
  return std::count_if(targets.classes, last, [](int action) { return action >= 0; });
}

template <std::floating_point T>
void ActorCritic<T>::count(double policy, double value, double entropy, Score& score) const {
  score.loss += policy + config_.value_coefficient * value - config_.entropy_coefficient * entropy;
  score.policy_loss += policy;
  score.value_loss += value;
  score.entropy += entropy;
  ++score.tokens;
}

template <std::floating_point T>
void AdvantageActorCritic<T>::apply(const Targets& targets, T scale, Matrix<T> outputs,
                                    std::span<Score> scores) const {
  const Extent extent = targets.extent;
  for (Index b = 0; b < extent.batch; ++b) {
    double next_value = 0;
    double next_return = 0;
    for (Index t = extent.steps - 1; t >= 0; --t) {
      const Index row = b * extent.steps + t;
      T* const output = outputs.row(row);
      const auto value = static_cast<double>(output[config_.actions]);
      const int action = targets.classes[row];
      if (action < 0) {
        next_return = value;
        if (scale != T(0)) std::fill_n(output, outputs.cols, T(0));
      } else {
        const float* const after = targets.reals.row(row);
        next_return = lambda_return(static_cast<double>(after[0]), static_cast<double>(after[1]),
                                    config_.lambda, next_value, next_return);
        const double advantage = next_return - value;
        const Policy<T> policy(output, config_.actions);
        this->count(-policy.log_p(action) * advantage, advantage * advantage, policy.entropy(),
                    scores[static_cast<std::size_t>(b)]);
        if (scale != T(0)) {
          policy.gradient(action, -advantage, config_.entropy_coefficient,
                          static_cast<double>(scale), output);
          output[config_.actions] =
              scale * static_cast<T>(-2 * config_.value_coefficient * advantage);
        }
      }
      next_value = value;
    }
  }
}

template <std::floating_point T>
void ProximalPolicy<T>::apply(const Targets& targets, T scale, Matrix<T> outputs,
                              std::span<Score> scores) const {
  const Extent extent = targets.extent;
  for (Index row = 0; row < extent.rows(); ++row) {
    T* const output = outputs.row(row);
    const int action = targets.classes[row];
    if (action < 0) {
      if (scale != T(0)) std::fill_n(output, outputs.cols, T(0));
      continue;
    }
    const float* const before = targets.reals.row(row);
    const auto advantage = static_cast<double>(before[1]);
    const double error =
        static_cast<double>(output[config_.actions]) - static_cast<double>(before[2]);
    const Policy<T> policy(output, config_.actions);
    const double ratio = std::exp(policy.log_p(action) - static_cast<double>(before[0]));
    const double clipped = std::clamp(ratio, 1 - config_.clip, 1 + config_.clip);
    const double gain = std::min(ratio * advantage, clipped * advantage);
    this->count(-gain, error * error / 2, policy.entropy(),
                scores[static_cast<std::size_t>(row / extent.steps)]);
    if (scale == T(0)) continue;
    // the clipped ratio is a constant; d ratio = ratio d log p
    const double slope = ratio * advantage <= clipped * advantage ? -ratio * advantage : 0;
    policy.gradient(action, slope, config_.entropy_coefficient, static_cast<double>(scale), output);
    output[config_.actions] = scale * static_cast<T>(config_.value_coefficient * error);
  }
}

template class ActorCritic<float>;
template class ActorCritic<double>;
template class AdvantageActorCritic<float>;
template class AdvantageActorCritic<double>;
template class ProximalPolicy<float>;
template class ProximalPolicy<double>;

}  // namespace rlt
