#include <fmt/format.h>

#include <algorithm>

#include "commands.hpp"

namespace rlt {

void note_idle(const std::vector<std::string>& given, std::string_view name,
               std::string_view reason) {
  if (std::ranges::find(given, name) == given.end()) return;
  fmt::print(stderr, "rlt: note: --{} changes nothing: {}\n", name, reason);
}

void note_idle(const std::vector<std::string>& given, const RunConfig& config) {
  for (const IdleSetting& idle : idle_settings(config)) note_idle(given, idle.name, idle.reason);
}

}  // namespace rlt
