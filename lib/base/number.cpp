#include "base/number.hpp"

#include <charconv>
#include <cmath>
#include <concepts>

#include "base/error.hpp"

namespace rlt {

template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || rest != end) return {};
  if constexpr (std::floating_point<Number>) {
    if (!std::isfinite(number)) return {};
    const std::string_view digits = text.substr(text.front() == '-' ? 1 : 0);
    if (digits.size() > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9') return {};
  } else if (fmt::format("{}", number) != text) {
    return {};
  }
  return number;
}

template <typename Number>
std::string range_text(Number low, Number high) {
  const char* const kind = std::floating_point<Number> ? "a number" : "a whole number";
  return fmt::format("{} from {} to {}", kind, low, high);
}

template <typename Number>
Number number_from(std::string_view source, std::string_view text, Number low, Number high) {
  const std::optional<Number> number = parse_number<Number>(text);
  if (!number) {
    fail(Exit::usage, "{} {}: must be {}, in decimal digits", source, shown(text),
         range_text(low, high));
  }
  if (*number < low || *number > high) {
    fail(Exit::usage, "{} {}: must be {}", source, text, range_text(low, high));
  }
  return *number;
}

std::string_view shown(std::string_view text) { return text.empty() ? "''" : text; }

#define RLT_INSTANTIATE(Number)                                          \
  template std::optional<Number> parse_number<Number>(std::string_view); \
  template std::string range_text<Number>(Number, Number);               \
  template Number number_from<Number>(std::string_view, std::string_view, Number, Number);
RLT_INSTANTIATE(Index)
RLT_INSTANTIATE(std::uint64_t)
RLT_INSTANTIATE(double)
#undef RLT_INSTANTIATE

}  // namespace rlt
