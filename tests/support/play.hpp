// Single episodes of an environment, for its tests.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "tasks/environment.hpp"

namespace rlt::test {

struct Episode {
  std::vector<std::vector<float>> observations;  // before each action, and one at the end
  std::vector<float> rewards;                    // after each action
  bool succeeded = false;

  Index length() const { return std::ssize(rewards); }
  /// Sum of rewards, the t-th (from 0) times discount^t.
  double earned(double discount = 1) const {
    double sum = 0, weight = 1;
    for (const float reward : rewards) {
      sum += weight * static_cast<double>(reward);
      weight *= discount;
    }
    return sum;
  }
};

/// An episode in row 0; choose(observation) says the action.
template <typename Choose>
Episode play(Environment& environment, const Rng& rng, Choose&& choose) {
  const EnvironmentInfo& info = environment.info();
  environment.resize(1);
  std::vector<float> observation(static_cast<std::size_t>(info.observations));
  environment.reset(0, rng, observation.data());
  Episode episode;
  episode.observations.push_back(observation);
  std::vector<float> reward(1);
  std::vector<std::uint8_t> ended(1, 0);
  while (ended[0] == 0) {
    const std::vector<int> action = {static_cast<int>(choose(observation))};
    environment.act(action, {observation.data(), 1, info.observations}, reward, ended);
    episode.observations.push_back(observation);
    episode.rewards.push_back(reward[0]);
    REQUIRE(episode.length() <= info.longest);
  }
  episode.succeeded = environment.succeeded(0);
  return episode;
}

/// Uniform actions.
inline auto uniform(const Environment& environment, const Rng& rng) {
  return [draws = Draws(rng), actions = environment.info().actions](
             const std::vector<float>&) mutable { return draws.below(actions); };
}

inline float largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  float largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

/// Requires that the environment shows, pays and ends as `slow` does, an independent version of its rules
/// that has begun the same episode: observe(), act(action) -> reward, ended().
template <typename Slow, typename Choose>
Episode check_same(Environment& environment, Slow slow, const Rng& rng, Choose&& choose,
                   float tolerance = 0) {
  std::vector<std::vector<float>> observations = {slow.observe()};
  std::vector<float> rewards;
  const Episode episode = play(environment, rng, [&](const std::vector<float>& observation) {
    REQUIRE_FALSE(slow.ended());
    const auto action = choose(observation);
    rewards.push_back(slow.act(static_cast<int>(action)));
    observations.push_back(slow.observe());
    return action;
  });
  REQUIRE(slow.ended());
  REQUIRE(observations.size() == episode.observations.size());
  for (std::size_t step = 0; step < observations.size(); ++step) {
    CAPTURE(step);
    REQUIRE(largest_difference(observations[step], episode.observations[step]) <= tolerance);
    if (step < rewards.size()) REQUIRE(rewards[step] == doctest::Approx(episode.rewards[step]));
  }
  return episode;
}

}  // namespace rlt::test
