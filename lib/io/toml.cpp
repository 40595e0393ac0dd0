#include "io/toml.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
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

std::string_view line_of(std::string_view text, toml::source_index number) {
  for (; number > 1; --number) text.remove_prefix(text.find('\n') + 1);
  return text.substr(0, text.find_first_of("\r\n"));
}

/// What stands from one column to another; they count characters from 1.
std::string between(std::string_view line, toml::source_index begin, toml::source_index end) {
  std::string found;
  toml::source_index column = 0;
  for (const char c : line) {
    const bool continues = (static_cast<unsigned char>(c) & 0xC0) == 0x80;
    column += continues ? 0 : 1;
    if (column >= begin && column < end) found += c;
  }
  return found;
}

/// Reads the values of one text.
class Reader {
 public:
  Reader(std::string_view text, std::string_view source) : text_(text), source_(source) {}

  std::string value(std::string_view key, const toml::node& node) const {
    if (const auto* const string = node.as_string()) return bytes_from_utf8(string->get());
    if (const auto* const truth = node.as_boolean()) return value_text(truth->get());
    if (const auto* const array = node.as_array()) {
      std::string joined;
      for (const toml::node& item : *array) {
        if (item.is_array()) refuse(key, node, "an array in an array");
        joined += (joined.empty() ? "" : ",") + value(key, item);
      }
      return joined;
    }
    if (node.is_table()) refuse(key, node, "a table");
    if (!node.is_number()) refuse(key, node, "a date or a time");
    const auto* const real = node.as_floating_point();
    if (real != nullptr && std::isnan(real->get())) refuse(key, node, "nan");
    const toml::source_region& place = node.source();
    return between(line_of(text_, place.begin.line), place.begin.column, place.end.column);
  }

 private:
  [[noreturn]] void refuse(std::string_view key, const toml::node& node,
                           std::string_view found) const {
    fail(Exit::usage, "{}: {} (line {}): {} is no value of a setting", source_, printable(key),
         node.source().begin.line, found);
  }

  std::string_view text_;
  std::string_view source_;
};

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

std::map<std::string, std::string> read_toml(std::string_view text, std::string_view source) {
  std::map<std::string, std::string> settings;
  const Reader reader(text, source);
  try {
    for (const auto& [key, node] : toml::parse(text)) {
      settings[std::string(key.str())] = reader.value(key.str(), node);
    }
  } catch (const toml::parse_error& error) {
    const toml::source_index line = error.source().begin.line;
    fail(Exit::usage, "{}: {} (line {}): {}", source, printable(line_of(text, line)), line,
         printable(error.description()));
  }
  return settings;
}

}  // namespace rlt
