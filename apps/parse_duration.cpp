#include <algorithm>
#include <optional>

#include "base/error.hpp"
#include "base/number.hpp"
#include "commands.hpp"

namespace rlt {

double parse_duration(std::string_view flag, const std::string& text) {
  constexpr double longest = 1e9;  // seconds: 31 years
  const auto bad = [&] {
    fail(Exit::usage, "--{} {}: must be a time above 0 such as 90s, 15m or 3h50m", flag,
         shown(text));
  };
  double total = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_of("smh", at), text.size());
    const std::optional<double> number = parse_number<double>(text.substr(at, end - at));
    if (!number || *number < 0) bad();
    const char unit = end < text.size() ? text[end] : 's';
    total += *number * (unit == 'h' ? 3600 : unit == 'm' ? 60 : 1);
    at = end + 1;
  }
  if (!(total > 0 && total <= longest)) bad();
  return total;
}

}  // namespace rlt
