// Numbers as people write them, on the command line, in the environment and in files: one way to read them all.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/index.hpp"

namespace rlt {

/// The number that the whole text is, in decimal digits: 12, -3, 0.5, 1e-9 (reals only). Nothing for whatever
/// another reader might take for another number: a leading zero or plus, blanks, hexadecimal, nan, infinity,
/// more digits than `Number` holds, nothing at all.
template <typename Number>
std::optional<Number> parse_number(std::string_view text);

/// "a whole number from 1 to 9"
template <typename Number>
std::string range_text(Number low, Number high);

/// The number within [low, high] that `text` is. Error(usage), one line, when it is none; `source` says where
/// the text comes from: "--batch", "RLT_BATCH".
template <typename Number>
Number number_from(std::string_view source, std::string_view text, Number low, Number high);

/// The text, or '' where it is empty: a value inside a message.
std::string_view shown(std::string_view text);

}  // namespace rlt
