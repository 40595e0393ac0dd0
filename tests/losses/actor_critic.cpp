#include "losses/actor_critic.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "base/gradient_check.hpp"
#include "base/rng.hpp"
#include "losses/policy.hpp"
#include "support/numbers.hpp"

using namespace rlt;

namespace {

constexpr Index actions = 3;
constexpr Extent extent{2, 5};
const ActorCriticConfig config{.actions = actions,
                               .value_coefficient = 0.4,
                               .entropy_coefficient = 0.3,
                               .lambda = 0.8,
                               .clip = 0.2};
constexpr float none = std::numeric_limits<float>::quiet_NaN();

/// Two sequences of four actions and a last observation, whose value alone is read. In the first an episode ends
/// in the middle.
struct Rollout {
  std::vector<int> taken = {0, 2, 1, 1, -1, 2, 0, 0, 1, -1};
  std::vector<float> after = {0.5F,  0.9F, -1, 0,    2,     0.9F, 0.3F, 0.9F, none, none,
                              -0.1F, 0.9F, 0,  0.9F, 0.25F, 0.9F, 1,    0.9F, none, none};
  std::vector<double> outputs;

  Rollout() {
    for (Index i = 0; i < extent.rows() * (actions + 1); ++i) {
      outputs.push_back(2 * Rng(4).uniform(i) - 1);
    }
  }
  Targets targets() const {
    return {.extent = extent, .classes = taken.data(), .reals = {after.data(), extent.rows(), 2}};
  }
  double value(Index row) const { return outputs[row * (actions + 1) + actions]; }
};

template <typename L>
Score score_of(const L& loss, const Targets& targets, std::vector<double> outputs) {
  std::array<Score, 2> scores;
  loss.apply(targets, 0, {outputs.data(), extent.rows(), actions + 1}, scores);
  return total(scores);
}

template <typename L>
std::vector<double> gradient_of(const L& loss, const Targets& targets, std::vector<double> outputs,
                                double scale) {
  std::array<Score, 2> scores;
  loss.apply(targets, scale, {outputs.data(), extent.rows(), actions + 1}, scores);
  return outputs;
}

}  // namespace

TEST_CASE("policy: probabilities, entropy, and draws by the cumulated probabilities") {
  const std::array<double, 3> logits = {std::log(0.2), std::log(0.5), std::log(0.3)};
  const Policy<double> policy(logits.data(), 3);
  CHECK(policy.log_p(1) == doctest::Approx(std::log(0.5)));
  CHECK(policy.entropy() ==
        doctest::Approx(-0.2 * std::log(0.2) - 0.5 * std::log(0.5) - 0.3 * std::log(0.3)));
  CHECK(policy.sample(0) == 0);
  CHECK(policy.sample(0.199) == 0);
  CHECK(policy.sample(0.201) == 1);
  CHECK(policy.sample(0.699) == 1);
  CHECK(policy.sample(0.701) == 2);
  CHECK(policy.sample(0.9999999999) == 2);
}

// The definition once more, forwards: with lambda the return is the mixture of n-step returns.
TEST_CASE(
    "advantage actor-critic: lambda-returns mix n-step returns, up to where an episode ends") {
  const Rollout rollout;
  const AdvantageActorCritic<double> loss(config);
  const Targets targets = rollout.targets();
  CHECK(loss.scored(targets) == 8);
  double value_loss = 0;
  for (Index b = 0; b < extent.batch; ++b) {
    for (Index t = 0; t + 1 < extent.steps; ++t) {
      const Index last = extent.steps - 1;
      // G^(n): n rewards, then the value; weights (1 - lambda) lambda^(n-1), the rest on the longest.
      double mixed = 0;
      double sum = 0;
      double discount = 1;
      double weight = 1;
      for (Index i = t; i < last; ++i) {
        const Index row = b * extent.steps + i;
        sum += discount * rollout.after[2 * row];
        discount *= rollout.after[2 * row + 1];
        const double n_step = sum + discount * rollout.value(row + 1);
        mixed += (i + 1 < last ? (1 - config.lambda) * weight : weight) * n_step;
        weight *= config.lambda;
      }
      const double advantage = mixed - rollout.value(b * extent.steps + t);
      value_loss += advantage * advantage;
    }
  }
  const Score score = score_of(loss, targets, rollout.outputs);
  // the discounts are floats
  CHECK(score.value_loss == doctest::Approx(value_loss).epsilon(1e-6));
  CHECK(score.tokens == 8);
}

// The advantage in front of log p is no function of the outputs: the gradient of the policy is checked with the
// critic's column held, and that of the value, whose return is held, against the closed form.
TEST_CASE("advantage actor-critic: gradients of policy and entropy equal central differences") {
  Rollout rollout;
  const AdvantageActorCritic<double> loss(config);
  const Targets targets = rollout.targets();
  const std::vector<double> gradient = gradient_of(loss, targets, rollout.outputs, 0.5);
  const auto half_loss = [&] {
    const Score score = score_of(loss, targets, rollout.outputs);
    return 0.5 * (score.policy_loss - config.entropy_coefficient * score.entropy);
  };
  for (Index row = 0; row < extent.rows(); ++row) {
    for (Index j = 0; j < actions; ++j) {
      const Index i = row * (actions + 1) + j;
      CAPTURE(i);
      CHECK(gradient_error(rollout.outputs[i], gradient[i], half_loss) < GradientTolerance().error);
    }
  }
}

TEST_CASE(
    "advantage actor-critic: the value is drawn to a return that is held, the last not at all") {
  const Rollout rollout;
  const AdvantageActorCritic<double> loss(config);
  const std::vector<double> gradient = gradient_of(loss, rollout.targets(), rollout.outputs, 0.5);
  for (Index b = 0; b < extent.batch; ++b) {
    const Index last = b * extent.steps + extent.steps - 1;
    double next_return = rollout.value(last);
    for (Index column = 0; column <= actions; ++column) {
      CHECK(gradient[last * (actions + 1) + column] == 0);
    }
    for (Index row = last - 1; row >= b * extent.steps; --row) {
      next_return = lambda_return(static_cast<double>(rollout.after[2 * row]),
                                  static_cast<double>(rollout.after[2 * row + 1]), config.lambda,
                                  rollout.value(row + 1), next_return);
      // 0.5 d/dV value_coefficient (G - V)^2
      CHECK(gradient[row * (actions + 1) + actions] ==
            doctest::Approx(-0.5 * 2 * config.value_coefficient *
                            (next_return - rollout.value(row))));
    }
  }
}

TEST_CASE("proximal policy: gradients equal central differences, inside the clip and beyond it") {
  Rollout rollout;
  const ProximalPolicy<double> loss(config);
  std::vector<float> before;
  for (Index row = 0; row < extent.rows(); ++row) {
    const bool asked = rollout.taken[row] >= 0;
    const Policy<double> policy(rollout.outputs.data() + row * (actions + 1), actions);
    // ratios exp(0.1), exp(-0.1), exp(0.4), exp(-0.4), each with advantages of both signs
    const std::array<double, 4> shifts = {-0.1, 0.1, -0.4, 0.4};
    const double old =
        asked ? policy.log_p(rollout.taken[row]) + shifts[static_cast<std::size_t>(row % 5)] : 0;
    before.push_back(asked ? static_cast<float>(old) : none);
    before.push_back(asked ? (row < 5 ? 1.5F : -0.7F) : none);
    before.push_back(asked ? 0.3F : none);
  }
  const Targets targets{.extent = extent,
                        .classes = rollout.taken.data(),
                        .reals = {before.data(), extent.rows(), 3}};
  CHECK(loss.scored(targets) == 8);
  const std::vector<double> gradient = gradient_of(loss, targets, rollout.outputs, 0.5);
  const auto half_loss = [&] { return 0.5 * score_of(loss, targets, rollout.outputs).loss; };
  for (Index i = 0; i < std::ssize(gradient); ++i) {
    CAPTURE(i);
    CHECK(gradient_error(rollout.outputs[i], gradient[i], half_loss) < GradientTolerance().error);
  }
  // Beyond the clip, where it would help to go further, only the entropy pulls.
  const auto pulled = [&](Index row) {
    const Policy<double> policy(rollout.outputs.data() + row * (actions + 1), actions);
    const Index action = rollout.taken[row];
    const double entropy_alone = 0.5 * config.entropy_coefficient * std::exp(policy.log_p(action)) *
                                 (policy.log_p(action) + policy.entropy());
    return std::abs(gradient[row * (actions + 1) + action] - entropy_alone) > 1e-9;
  };
  CHECK(pulled(0));        // ratio 1.1, advantage > 0
  CHECK_FALSE(pulled(2));  // 1.49, > 0
  CHECK(pulled(3));        // 0.67, > 0: back
  CHECK(pulled(7));        // 1.49, < 0: back
  CHECK_FALSE(pulled(8));  // 0.67, < 0
}
