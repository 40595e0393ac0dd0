#include <algorithm>

#include "base/error.hpp"
#include "commands.hpp"
#include "train/idle_settings.hpp"

namespace rlt {
namespace {

bool is_given(const GivenFlags& given, std::string_view name) {
  return std::ranges::find(given, name) != given.end();
}

}  // namespace

void refuse_flags(const GivenFlags& given, std::initializer_list<const char*> flags,
                  std::string_view why) {
  for (const char* const flag : flags) {
    if (is_given(given, flag)) fail(Exit::usage, "--{} does not apply: {}", flag, why);
  }
}

void refuse_inapplicable(const GivenFlags& given, const RunConfig& config) {
  for (const auto& [name, reason] : inapplicable_settings(config)) {
    if (!is_given(given, name)) continue;
    fail(Exit::usage, "--{} does not apply to task {}: {}", name, config.task, reason);
  }
}

}  // namespace rlt
