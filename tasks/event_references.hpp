// What stands beside a model on sequences of events: who knows the process, and who knows one rate for all times.
// Both count what EventMixture counts (lib/losses/event_mixture.hpp), in the examples' unit of time.
#pragma once

#include <vector>

#include "tasks/point_process.hpp"
#include "tasks/task.hpp"

namespace rlt {

/// Of an example of task `events` that `process` drew, with `features` real inputs at each position, the first of
/// them the time since the event before; times are in `unit`s of the process. The loss of a mark is that given its
/// time; the answer is the most probable mark before the time is known, as a model's.
Score oracle_score(const PointProcess& process, double unit, Index features,
                   const Example& example);

/// A Poisson process of one rate, with marks drawn apart from time.
class ConstantRate {
 public:
  ConstantRate() = default;
  /// The most likely rate of a training set: seen events (one at least) per observed time. A mark that followed n of N events has
  /// the probability (n + 1) / (N + marks).
  ConstantRate(const std::vector<Example>& train, std::size_t marks);

  Score score(const Example& example) const;

 private:
  double rate_ = 0;
  std::vector<double> mark_losses_;
  int most_frequent_ = 0;
};

}  // namespace rlt
