// Labelled strings as NumPy reads them.
#pragma once

#include <string>
#include <vector>

#include "tasks/task.hpp"

namespace rlt {

/// The contents of three .npy files: tokens (N, longest) int32, 0 beyond the end of a string; targets likewise,
/// -1 where nothing is scored and beyond the end; lengths (N) int64. Numbers are places in TaskInfo's lists.
struct NpyForm {
  std::string tokens, targets, lengths;
};
NpyForm npy_form(const std::vector<Example>& examples);

}  // namespace rlt
