#include "base/error.hpp"
#include "commands.hpp"

namespace rlt {

void refuse_flags(const GivenFlags& given, std::initializer_list<const char*> flags,
                  std::string_view why) {
  for (const char* const flag : flags) {
    if (given.contains(flag)) fail(Exit::usage, "--{} does not apply: {}", flag, why);
  }
}

}  // namespace rlt
