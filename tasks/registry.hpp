// Declares the facts and the maker of every task in tasks.def. A task whose line is missing there defines
// functions that nobody declared, and does not compile (-Wmissing-declarations).
#pragma once

#include "tasks/task.hpp"

namespace rlt {

#define RLT_TASK(name)                              \
  TaskInfo name##_info(const TaskOptions& options); \
  std::unique_ptr<Task> make_##name(const TaskOptions& options);
#include "tasks/tasks.def"
#undef RLT_TASK

}  // namespace rlt
