#include <charconv>

#include "base/error.hpp"
#include "commands.hpp"

namespace rlt {

std::vector<Index> parse_list(const std::string& flag, const std::string& text) {
  std::vector<Index> values;
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto bad = [&] {
    fail(Exit::usage, "--{} {}: must be numbers and ranges such as 50,100-500:50", flag, text);
  };
  const auto number = [&] {
    Index value = 0;
    const auto [rest, error] = std::from_chars(at, end, value);
    if (error != std::errc() || value < 0) bad();
    at = rest;
    return value;
  };
  while (at < end) {
    const Index first = number();
    Index last = first;
    Index step = 1;
    if (at < end && *at == '-') {
      ++at;
      last = number();
      if (at < end && *at == ':') {
        ++at;
        step = number();
      }
    }
    if (last < first || step < 1 || (last - first) / step > 1'000'000) bad();
    for (Index value = first; value <= last; value += step) values.push_back(value);
    if (at < end && *at++ != ',') bad();
  }
  if (values.empty()) bad();
  return values;
}

}  // namespace rlt
