// Recorded episodes as CSV: a header, then one step per row.
//   episode        whatever names it; its rows need not be adjacent
//   step           0, 1, 2, ... in the order of the file
//   observation_0, observation_1, ...  what was seen before the action, as many as the environment shows
//   action         a whole number from 0 on, below the number of actions
//   reward         what followed the action
// The columns come in any order; there are no others. The last row of an episode is its end: return to go is counted up
// to it. An episode of one row is a whole one: a step, and an action to learn.
// Error(failed) naming file, line and column: text that is not UTF-8, a missing, repeated or unknown column, a row with
// more or fewer cells, an empty cell, a number that is not finite, a step that does not follow the one before, an
// unknown action, a blank line before the last row, no row at all; and what cannot be of that environment, an episode
// that is longer than any, or earned more.
#pragma once

#include <string>
#include <vector>

#include "tasks/trajectory.hpp"

namespace rlt {

/// The whole file, with numbers that read back to the same bits.
std::string trajectories_csv(const std::vector<Trajectory>& trajectories,
                             const EnvironmentInfo& environment);

}  // namespace rlt
