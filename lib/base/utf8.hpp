// UTF-8, strictly as the Unicode Standard has it (15.0, table 3-7).
#pragma once

#include <string>
#include <string_view>

namespace rlt {

/// Appends the characters of `bytes` to `text` up to the first byte where no well-formed sequence
/// begins: a stray or missing continuation, an overlong form, a surrogate, beyond U+10FFFF. Returns
/// the offset of that byte; bytes.size() when there is none.
std::size_t append_decoded(std::string_view bytes, std::u32string& text);

/// The UTF-8 form of one character, which must be a Unicode scalar value.
std::string utf8_of(char32_t character);

/// `text`, such as a path, as it may stand in one line on any terminal: control characters and line
/// breaks as \n, \t, \r or \u001b, bytes that are not UTF-8 as \xff.
std::string printable(std::string_view text);

/// Any bytes as UTF-8, and back, without loss: those that are not UTF-8 become the characters U+EF80
/// to U+EFFF, one each. So do the bytes of these characters themselves, which nobody uses.
std::string utf8_from_bytes(std::string_view bytes);
std::string bytes_from_utf8(std::string_view text);

}  // namespace rlt
