#include "base/version.hpp"

namespace rlt {

std::string_view version() { return RLT_VERSION; }
std::string_view commit() { return RLT_COMMIT; }
std::string_view compiler() { return RLT_COMPILER; }
std::string_view compiler_flags() { return RLT_FLAGS; }

}  // namespace rlt
