#include <fmt/format.h>
#include <fmt/ranges.h>

#include "commands.hpp"

namespace rlt {

void print_options(std::string_view flag, const std::vector<Option>& options) {
  for (const Option& option : options) {
    const std::string values = !option.form.empty() ? option.form
                               : option.choices.empty()
                                   ? fmt::format("{} to {}", option.low, option.high)
                                   : fmt::format("{}", fmt::join(option.choices, ", "));
    fmt::print("  --{} {}=VALUE  {} ({}) [{}]\n", flag, option.name, option.help, values,
               option.value);
  }
}

}  // namespace rlt
