// What the training steps read: step s of a run always sees the same strings, whenever it is asked.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/memory.hpp"
#include "model/batch.hpp"
#include "train/dataset.hpp"
#include "train/run_config.hpp"
#include "train/segments.hpp"

namespace rlt {

class DataStream {
 public:
  /// `validation`: strings that training must not contain where the task says so.
  DataStream(const RunConfig& config, const Task& task, const std::vector<Example>& validation);

  /// Steps of one pass over the finite training set; 0 when samples are fresh.
  Index steps_per_epoch() const;
  /// Chooses what step 1, 2, ... reads, and tells its size.
  Extent choose(Index step);
  /// Writes what was chosen.
  void fill(Batch& batch) const;

 private:
  void choose_fresh(Index step);
  void choose_from_set(Index step);
  void shuffle(Index epoch);

  RunConfig config_;
  const Task& task_;
  Window window_;
  MemoryLeft left_ = memory_left();
  StringSet validation_;
  bool fresh_ = false;                // every step draws new strings
  std::optional<Segments> segments_;  // of a task with documents; else:
  std::vector<Example> examples_;     // the finite set, or the rows of one fresh batch
  std::vector<std::size_t> order_;    // of the epoch
  Index epoch_ = -1;
  Index step_of_epoch_ = 0;
  Extent extent_;
  std::vector<const Example*> chosen_;
};

}  // namespace rlt
