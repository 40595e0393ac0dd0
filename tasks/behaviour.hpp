// Behaviour policies, which record the episodes that offline learning learns from. With the expert of the
// environment and a rate at which uniform actions replace its own:
//   random         rate 1
//   expert         rate 0
//   medium         the rate at which the mean return is half-way between those of random and expert, found by bisection
//                  over the same 200 episodes for each rate
//   replay         rates that fall evenly from 1, in the first episode, to that of medium, in the last: what a buffer
//                  holds of an agent that learns until it is medium
//   medium_expert  medium and expert in turn
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "tasks/trajectory.hpp"

namespace rlt {

/// The names above.
const std::vector<std::string>& behaviours();

/// The rate of medium.
double medium_rate(Environment& environment);

/// `count` episodes, named by their numbers from 0, that depend on the seed and the environment's options alone.
/// Error(usage) where the environment has no expert and the behaviour needs one.
std::vector<Trajectory> record(Environment& environment, std::string_view behaviour, Index count,
                               std::uint64_t seed);

}  // namespace rlt
