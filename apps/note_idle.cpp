#include <algorithm>

#include "commands.hpp"
#include "io/standard_streams.hpp"
#include "train/idle_settings.hpp"

namespace rlt {

void note_idle(const GivenFlags& given, std::string_view name, std::string_view reason) {
  if (std::ranges::find(given, name) == given.end()) return;
  print_message("rlt: note: --{} changes nothing: {}", name, reason);
}

void note_idle(const GivenFlags& given, const RunConfig& config) {
  for (const IdleSetting& idle : idle_settings(config)) note_idle(given, idle.name, idle.reason);
}

}  // namespace rlt
