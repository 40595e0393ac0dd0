// Settings without effect, so that a run can name those that its user chose.
#pragma once

#include <string>
#include <vector>

#include "train/run_config.hpp"

namespace rlt {

/// A setting that nothing reads, and why: "--optimizer adam has no momentum".
struct IdleSetting {
  std::string name;
  std::string reason;
};
/// What another setting leaves without effect in a complete `config`, whatever the values. Not the sizes that some cells
/// lack (heads, ff): runs over several cells share them.
std::vector<IdleSetting> idle_settings(const RunConfig& config);
/// What means nothing to the task and the learner.
std::vector<IdleSetting> inapplicable_settings(const RunConfig& config);

}  // namespace rlt
