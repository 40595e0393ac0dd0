// The scores that no learning, or almost none, reaches on an evaluation set: what others are held against.
#pragma once

#include <cstdint>
#include <vector>

#include "tasks/task.hpp"

namespace rlt {

/// Fractions in [0, 1] of scored positions, and of sequences with every scored position right.
struct Accuracy {
  double token = 0.0;
  double sequence = 0.0;
};

struct Baselines {
  Accuracy chance;             // a uniform guess over the classes at every position (expectation)
  Accuracy best_constant;      // always one class: the best one for each of the two figures
  Accuracy position_majority;  // the most frequent class of each (sequence length, position)
  double answer_constant = 0;  // always one class, the best one, where an answer is due
  double class_loss = 0;       // nats per position, guessing everywhere by the classes' frequencies
};

/// What of a task the baselines depend on.
struct ClassFacts {
  Index count = 0;          // of classes
  int blank = -1;           // TaskInfo::blank
  bool by_position = true;  // false: positions say nothing and are too many to count (documents)
};
ClassFacts class_facts(const TaskInfo& info);

/// The majority is counted on `fitted` (ties: the smaller class) and scored on `scored`; where
/// `fitted` never saw that length it is the majority over all of `fitted`. So are the frequencies of
/// class_loss, each class counted once more than seen. The best constants are chosen on `scored`
/// itself, so they are upper bounds. All zero when `scored` is empty.
Baselines measure_baselines(const std::vector<Example>& scored, const std::vector<Example>& fitted,
                            ClassFacts classes);

/// The majority is fitted on an independent draw from the same window: distinct strings by another seed, about
/// 4 million symbols of them, but at least 21 and at most 10,000 strings.
Baselines window_baselines(const Task& task, Window window, const std::vector<Example>& scored,
                           std::uint64_t evaluation_seed);
Baselines exact_baselines(const Task& task, Index length, const std::vector<Example>& scored,
                          std::uint64_t evaluation_seed);

}  // namespace rlt
