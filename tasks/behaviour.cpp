#include "tasks/behaviour.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"

namespace rlt {
namespace {

double mean_return(Environment& environment, double random_rate) {
  constexpr Index episodes = 200;
  const Rng rng = Rng(1).stream("medium");
  double sum = 0;
  for (Index i = 0; i < episodes; ++i) {
    const Rng episode = rng.stream(static_cast<std::uint64_t>(i));
    sum += play_behaviour(environment, episode, random_rate).earned();
  }
  return sum / episodes;
}

/// Of episode i of `count`, with the rate of medium.
double random_rate(std::string_view behaviour, double medium, Index i, Index count) {
  if (behaviour == "random") return 1;
  if (behaviour == "expert") return 0;
  if (behaviour == "medium") return medium;
  if (behaviour == "medium_expert") return i % 2 == 0 ? medium : 0;
  const double share = static_cast<double>(i) / static_cast<double>(std::max<Index>(1, count - 1));
  return 1 + (medium - 1) * share;
}

}  // namespace

const std::vector<std::string>& behaviours() {
  static const std::vector<std::string> names = {"random", "expert", "medium", "replay",
                                                 "medium_expert"};
  return names;
}

Trajectory play_behaviour(Environment& environment, const Rng& episode, double random_rate) {
  const EnvironmentInfo& info = environment.info();
  const Rng draws = episode.stream("behaviour");
  std::vector<float> observation(static_cast<std::size_t>(info.observations));
  environment.resize(1);
  environment.reset(0, episode, observation.data());
  Trajectory trajectory;
  std::uint8_t ended = 0;
  for (Index step = 0; ended == 0; ++step) {
    int action = environment.expert_action(0);
    if (action < 0 || draws.uniform(2 * step) < random_rate) {
      action = static_cast<int>(draws.below(2 * step + 1, info.actions));
    }
    trajectory.observations.insert(trajectory.observations.end(), observation.begin(),
                                   observation.end());
    trajectory.actions.push_back(action);
    float reward = 0;
    environment.act({&action, 1}, {observation.data(), 1, info.observations}, {&reward, 1},
                    {&ended, 1});
    trajectory.rewards.push_back(reward);
  }
  return trajectory;
}

double medium_rate(Environment& environment) {
  const double wanted = (environment.info().random_return + mean_return(environment, 0)) / 2;
  double low = 0, high = 1;
  for (int halving = 0; halving < 10; ++halving) {
    const double middle = (low + high) / 2;
    (mean_return(environment, middle) > wanted ? low : high) = middle;
  }
  return (low + high) / 2;
}

std::vector<Trajectory> record(Environment& environment, std::string_view behaviour, Index count,
                               std::uint64_t seed) {
  if (behaviour != "random" && !has_expert(environment.info())) {
    fail(Exit::usage, "--policy {}: no expert is known in {}, which has random alone", behaviour,
         environment.info().name);
  }
  const bool asks_medium = behaviour != "random" && behaviour != "expert";
  const double medium = asks_medium ? medium_rate(environment) : 0;
  const Rng rng = Rng(seed).stream("recorded");
  std::vector<Trajectory> all;
  for (Index i = 0; i < count; ++i) {
    all.push_back(play_behaviour(environment, rng.stream(static_cast<std::uint64_t>(i)),
                                 random_rate(behaviour, medium, i, count)));
    all.back().episode = fmt::format("{}", i);
  }
  return all;
}

}  // namespace rlt
