#include "base/utf8.hpp"

#include <fmt/format.h>

namespace rlt {
namespace {

struct Range {
  unsigned low, high;
  bool holds(unsigned byte) const { return byte >= low && byte <= high; }
};
constexpr Range continuation{0x80, 0xBF};

/// How many continuations follow `lead` (0: it leads nothing), and the range of the first of them,
/// narrower than the rest where overlong forms, surrogates or too large numbers would begin.
struct Form {
  unsigned continuations;
  Range second;
};

Form form_of(unsigned lead) {
  if (lead < 0xC2) return {0, continuation};
  if (lead < 0xE0) return {1, continuation};
  if (lead == 0xE0) return {2, {0xA0, 0xBF}};
  if (lead == 0xED) return {2, {0x80, 0x9F}};
  if (lead < 0xF0) return {2, continuation};
  if (lead == 0xF0) return {3, {0x90, 0xBF}};
  if (lead < 0xF4) return {3, continuation};
  if (lead == 0xF4) return {3, {0x80, 0x8F}};
  return {0, continuation};
}

/// on_character(char32_t) for each character, on_byte(unsigned char) for each byte where none begins.
template <typename OnCharacter, typename OnByte>
void walk(std::string_view bytes, const OnCharacter& on_character, const OnByte& on_byte) {
  while (!bytes.empty()) {
    std::u32string characters;
    const std::size_t end = append_decoded(bytes, characters);
    for (const char32_t character : characters) on_character(character);
    if (end == bytes.size()) return;
    on_byte(static_cast<unsigned char>(bytes[end]));
    bytes.remove_prefix(end + 1);
  }
}

bool is_control(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029;
}

constexpr char32_t byte_base = 0xEF00;
bool stands_for_byte(char32_t c) { return c >= byte_base + 0x80 && c <= byte_base + 0xFF; }

}  // namespace

std::size_t append_decoded(std::string_view bytes, std::u32string& text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  for (std::size_t at = 0; at < bytes.size();) {
    const unsigned lead = byte(at);
    if (lead < 0x80) {
      text += static_cast<char32_t>(lead);
      ++at;
      continue;
    }
    const Form form = form_of(lead);
    if (form.continuations == 0 || bytes.size() - at <= form.continuations) return at;
    if (!form.second.holds(byte(at + 1))) return at;
    char32_t character = lead & (0x3F >> form.continuations);
    for (std::size_t i = 1; i <= form.continuations; ++i) {
      if (!continuation.holds(byte(at + i))) return at;
      character = character << 6 | (byte(at + i) & 0x3F);
    }
    text += character;
    at += 1 + form.continuations;
  }
  return bytes.size();
}

std::string utf8_of(char32_t character) {
  if (character < 0x80) return {static_cast<char>(character)};
  const int continuations = character < 0x800 ? 1 : character < 0x10000 ? 2 : 3;
  const unsigned mark = 0xF0u << (3 - continuations) & 0xFF;  // 110..., 1110..., 11110...
  std::string bytes = {static_cast<char>(mark | character >> 6 * continuations)};
  for (int i = continuations - 1; i >= 0; --i) {
    bytes += static_cast<char>(0x80 | (character >> 6 * i & 0x3F));
  }
  return bytes;
}

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
