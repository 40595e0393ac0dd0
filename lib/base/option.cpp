#include "base/option.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "base/error.hpp"
#include "base/nearest.hpp"
#include "base/number.hpp"

namespace rlt {
namespace {

void check_value(std::string_view flag, std::string_view owner, const Option& option,
                 const std::string& value) {
  if (!option.form.empty()) return;
  if (!option.choices.empty()) {
    if (std::ranges::find(option.choices, value) != option.choices.end()) return;
    fail(Exit::usage, "--{} {}={}: {} takes {}", flag, option.name, value, owner,
         fmt::join(option.choices, " or "));
  }
  std::optional<double> number = parse_number<double>(value);
  if (option.whole && !parse_number<Index>(value)) number.reset();
  if (number && *number >= option.low && *number <= option.high) return;
  fail(Exit::usage, "--{} {}={}: {} takes {}", flag, option.name, value, owner,
       option.whole ? range_text(static_cast<Index>(option.low), static_cast<Index>(option.high))
                    : range_text(option.low, option.high));
}

}  // namespace

OptionValues parse_options(std::string_view flag, const std::vector<std::string>& items) {
  OptionValues values;
  for (const std::string& item : items) {
    const std::size_t equals = item.find('=');
    if (equals == std::string::npos) fail(Exit::usage, "--{} {}: must be NAME=VALUE", flag, item);
    values[item.substr(0, equals)] = item.substr(equals + 1);
  }
  return values;
}

OptionValues complete_options(std::string_view flag, std::string_view owner,
                              const std::vector<Option>& known, OptionValues chosen) {
  std::vector<std::string> names;
  for (const Option& option : known) {
    names.push_back(option.name);
    const auto [entry, is_default] = chosen.try_emplace(option.name, option.value);
    check_value(flag, owner, option, entry->second);
  }
  for (const auto& [name, value] : chosen) {
    if (std::ranges::find(names, name) != names.end()) continue;
    if (names.empty()) fail(Exit::usage, "--{} {}: {} has no options", flag, name, owner);
    fail(Exit::usage, "--{} {}: {} has no such option{}", flag, name, owner,
         suggestion(name, names));
  }
  return chosen;
}

}  // namespace rlt
