#include <algorithm>
#include <optional>

#include "base/error.hpp"
#include "base/number.hpp"
#include "commands.hpp"

namespace rlt {

std::vector<Index> parse_list(std::string_view flag, const std::string& text, Index low,
                              Index high) {
  constexpr Index most = 1'000'000;
  const auto bad = [&] {
    fail(Exit::usage,
         "--{} {}: must be whole numbers from {} to {} and ranges, such as 50,100-500:50 or "
         "16-256*2",
         flag, shown(text), low, high);
  };
  const auto number = [&](std::string_view digits) {
    const std::optional<Index> value = parse_number<Index>(digits);
    if (!value || *value < 0 || *value > high) bad();
    return *value;
  };
  std::vector<Index> values;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    const std::string_view item = std::string_view(text).substr(begin, comma - begin);
    begin = comma + 1;
    const std::size_t dash = std::min(item.find('-'), item.size());
    const Index first = number(item.substr(0, dash));
    Index last = first;
    Index step = 1;
    bool multiplies = false;
    if (dash < item.size()) {
      const std::size_t mark = std::min(item.find_first_of(":*"), item.size());
      last = number(item.substr(dash + 1, mark - dash - 1));
      if (mark < item.size()) {
        multiplies = item[mark] == '*';
        step = number(item.substr(mark + 1));
      }
    }
    if (first < low || last < first || step < (multiplies ? 2 : 1)) bad();
    if (!multiplies && (last - first) / step >= most - std::ssize(values)) {
      fail(Exit::usage, "--{} {}: more than {} numbers", flag, text, most);
    }
    Index value = first;
    while (value <= last) {
      values.push_back(value);
      if (multiplies && value > last / step) break;
      value = multiplies ? value * step : value + step;
    }
  }
  return values;
}

}  // namespace rlt
