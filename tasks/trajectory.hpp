// Recorded episodes of an environment, what offline learning learns from: played by a behaviour policy or read from
// a file.
#pragma once

#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "tasks/environment.hpp"

namespace rlt {

struct Trajectory {
  std::string episode;              // its name
  std::vector<float> observations;  // (T, F): before each action
  std::vector<int> actions;         // (T)
  std::vector<float> rewards;       // (T): after each action

  Index steps() const { return std::ssize(actions); }
  double earned() const { return std::accumulate(rewards.begin(), rewards.end(), 0.0); }
};

/// One episode in row 0 of the environment, which becomes its only row: the expert's actions, but uniform ones with
/// probability `random_rate` and where the expert has none. It depends on its arguments alone.
Trajectory play_behaviour(Environment& environment, const Rng& episode, double random_rate);

/// The episodes of a CSV file in order of appearance; its form, and what is an error, stands in trajectories_csv.hpp.
std::vector<Trajectory> read_trajectories_csv(const std::filesystem::path& path,
                                              const EnvironmentInfo& environment);

}  // namespace rlt
