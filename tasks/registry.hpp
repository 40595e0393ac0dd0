// Declares the maker of every task in tasks.def. A task whose line is missing there defines a
// function that nobody declared, and does not compile (-Wmissing-declarations).
#pragma once

#include "tasks/task.hpp"

namespace rlt {

#define RLT_TASK(name) std::unique_ptr<Task> make_##name(const TaskOptions& options);
#include "tasks/tasks.def"
#undef RLT_TASK

}  // namespace rlt
