#include "io/toml.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/utf8.hpp"

namespace rlt {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

std::string escaped(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result += {'\\', c};
    } else if (c == '\n') {
      result += "\\n";
    } else if (c == '\t') {
      result += "\\t";
    } else if (is_control(c)) {
      result += fmt::format("\\u{:04X}", static_cast<int>(c));
    } else {
      result += c;
    }
  }
  return result + '"';
}

std::string value_text(const std::string& bytes) {
  const std::string text = utf8_from_bytes(bytes);
  const bool needs_escape = text.find_first_of("\"\\") != std::string::npos;
  const bool fits_literal =
      text.find('\'') == std::string::npos && std::ranges::none_of(text, is_control);
  return needs_escape && fits_literal ? "'" + text + "'" : escaped(text);
}
std::string value_text(bool value) { return value ? "true" : "false"; }
std::string value_text(Index value) { return std::to_string(value); }
std::string value_text(double value) {
  if (std::isnan(value)) return "nan";
  std::string text = fmt::format("{}", value);
  // 3 would be an integer.
  const bool whole = std::isfinite(value) && text.find_first_of(".e") == std::string::npos;
  return whole ? text + ".0" : text;
}

std::string key_text(const std::string& key) {
  const auto is_bare = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  };
  return !key.empty() && std::ranges::all_of(key, is_bare) ? key : escaped(key);
}

}  // namespace

std::string toml_text(std::string_view comment, std::span<const TomlEntry> entries) {
  std::string text = "# ";
  for (const char c : comment) text += is_control(c) ? ' ' : c;
  text += '\n';
  for (const TomlEntry& entry : entries) {
    text += key_text(entry.key) + " = ";
    text += std::visit([](const auto& value) { return value_text(value); }, entry.value);
    text += '\n';
  }
  return text;
}

}  // namespace rlt
