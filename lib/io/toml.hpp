// Settings as TOML text, and back.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/index.hpp"

namespace rlt {

using TomlValue = std::variant<bool, Index, double, std::string>;

struct TomlEntry {
  std::string key;
  TomlValue value;
};

/// "# COMMENT", then one "key = value" per line in the given order. A text stands in double quotes; one
/// with quotes or backslashes in single quotes where it can, because there nothing is escaped and
/// readers that know no escapes get it right too; `bytes_from_utf8` of it is the text again, whatever
/// its bytes. Numbers read back to the same bits.
std::string toml_text(std::string_view comment, std::span<const TomlEntry> entries);

/// The settings of a TOML 1.0 text, each value as text: of a string its bytes, a number as it is written, of
/// an array its values joined by commas. Error(usage) with `source`, the key and the line for what is no TOML,
/// such as a key that stands twice, and for what is no value of a setting: a table, a date, nan, an array
/// in an array.
std::map<std::string, std::string> read_toml(std::string_view text, std::string_view source);

}  // namespace rlt
