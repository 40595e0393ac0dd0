// Declares the maker of every environment in environments.def. One whose line is missing there defines a
// function that nobody declared, and does not compile (-Wmissing-declarations).
#pragma once

#include "tasks/environment.hpp"

namespace rlt {

#define RLT_ENVIRONMENT(name) std::unique_ptr<Environment> make_##name(const OptionValues& options);
#include "tasks/environments.def"
#undef RLT_ENVIRONMENT

}  // namespace rlt
