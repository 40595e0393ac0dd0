#include "base/utf8.hpp"

#include <fmt/format.h>
#include <utf8cpp/utf8.h>

namespace rlt {
namespace {

/// on_character(char32_t) for each character, on_byte(unsigned char) for each byte where none begins.
template <typename OnCharacter, typename OnByte>
void walk(std::string_view bytes, const OnCharacter& on_character, const OnByte& on_byte) {
  for (auto at = bytes.begin(); at != bytes.end();) {
    const auto fault = utf8::find_invalid(at, bytes.end());
    while (at != fault) on_character(static_cast<char32_t>(utf8::unchecked::next(at)));
    if (at != bytes.end()) on_byte(static_cast<unsigned char>(*at++));
  }
}

std::string utf8_of(char32_t character) {
  std::string bytes;
  utf8::append(character, bytes);
  return bytes;
}

bool is_control(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029;
}

constexpr char32_t byte_base = 0xEF00;
bool stands_for_byte(char32_t c) { return c >= byte_base + 0x80 && c <= byte_base + 0xFF; }

}  // namespace

std::string printable(std::string_view text) {
  std::string result;
  const auto add = [&](char32_t c) {
    if (c == U'\n') {
      result += "\\n";
    } else if (c == U'\t') {
      result += "\\t";
    } else if (c == U'\r') {
      result += "\\r";
    } else if (is_control(c)) {
      result += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      result += utf8_of(c);
    }
  };
  walk(text, add, [&](unsigned char byte) { result += fmt::format("\\x{:02x}", byte); });
  return result;
}

std::string utf8_from_bytes(std::string_view bytes) {
  std::string text;
  const auto add_byte = [&](unsigned char byte) { text += utf8_of(byte_base + byte); };
  const auto add = [&](char32_t c) {
    if (!stands_for_byte(c)) {
      text += utf8_of(c);
      return;
    }
    for (const char byte : utf8_of(c)) add_byte(static_cast<unsigned char>(byte));
  };
  walk(bytes, add, add_byte);
  return text;
}

std::string bytes_from_utf8(std::string_view text) {
  std::string bytes;
  const auto add = [&](char32_t c) {
    bytes += stands_for_byte(c) ? std::string(1, static_cast<char>(c - byte_base)) : utf8_of(c);
  };
  walk(text, add, [&](unsigned char byte) { bytes += static_cast<char>(byte); });
  return bytes;
}

}  // namespace rlt
