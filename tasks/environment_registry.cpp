#include "tasks/environment_registry.hpp"

#include "base/error.hpp"
#include "base/nearest.hpp"

namespace rlt {

const std::vector<EnvironmentEntry>& all_environments() {
  static const std::vector<EnvironmentEntry> environments = {
#define RLT_ENVIRONMENT(name) {#name, make_##name},
#include "tasks/environments.def"
#undef RLT_ENVIRONMENT
  };
  return environments;
}

std::unique_ptr<Environment> make_environment(std::string_view name, const OptionValues& options) {
  std::vector<std::string> names;
  for (const EnvironmentEntry& environment : all_environments()) {
    if (environment.name == name) return environment.make(options);
    names.emplace_back(environment.name);
  }
  fail(Exit::usage, "--task {}: no such environment{}", name, suggestion(name, names));
}

}  // namespace rlt
