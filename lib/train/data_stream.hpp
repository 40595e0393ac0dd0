// What the training steps read: step s of a run always sees the same strings, whenever it is asked.
#pragma once

#include <cstdint>
#include <vector>

#include "model/batch.hpp"
#include "train/dataset.hpp"
#include "train/run_config.hpp"

namespace rlt {

class DataStream {
 public:
  /// `validation`: strings that training must not contain where the task says so.
  DataStream(const RunConfig& config, const Task& task, const std::vector<Example>& validation);

  /// Steps of one pass over the finite training set; 0 when samples are fresh.
  Index steps_per_epoch() const;
  /// Fills `examples` with the strings of step 1, 2, ...; valid until the next call.
  const std::vector<const Example*>& at(Index step);

 private:
  void shuffle(Index epoch);

  RunConfig config_;
  const Task& task_;
  Window window_;
  StringSet validation_;
  std::vector<Example> examples_;   // the finite set, or the rows of one fresh batch
  std::vector<std::size_t> order_;  // of the epoch
  Index epoch_ = -1;
  std::vector<const Example*> batch_;
};

}  // namespace rlt
