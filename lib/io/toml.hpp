// Settings as TOML text.
#pragma once

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

}  // namespace rlt
