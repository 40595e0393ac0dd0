// What this program was built from.
#pragma once

#include <string_view>

namespace rlt {

std::string_view version();         // 0.1.0
std::string_view commit();          // short hash at configuration time, or "unknown"
std::string_view compiler();        // GNU 12.2.0
std::string_view compiler_flags();  // optimisation flags

}  // namespace rlt
