// Bytes that may be no UTF-8 where UTF-8 is needed.
#pragma once

#include <string>
#include <string_view>

namespace rlt {

/// `text`, such as a path, as it may stand in one line on any terminal: control characters and line
/// breaks as \n, \t, \r or \u001b, bytes that are not UTF-8 as \xff.
std::string printable(std::string_view text);

/// Any bytes as UTF-8, and back, without loss: those that are not UTF-8 become the characters U+EF80
/// to U+EFFF, one each. So do the bytes of these characters themselves, which nobody uses.
std::string utf8_from_bytes(std::string_view bytes);
std::string bytes_from_utf8(std::string_view text);

}  // namespace rlt
