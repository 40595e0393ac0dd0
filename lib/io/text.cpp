#include "io/text.hpp"

#include <fmt/format.h>
#include <utf8cpp/utf8.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.hpp"
#include "io/standard_streams.hpp"

namespace rlt {
namespace {

using namespace std::string_view_literals;

/// UTF-16 or UTF-32 as iconv calls it; empty when the bytes look like neither.
std::string_view wide_encoding(std::string_view bytes) {
  constexpr std::pair<std::string_view, std::string_view> marks[] = {{"\xFF\xFE\0\0"sv, "UTF-32"},
                                                                     {"\0\0\xFE\xFF"sv, "UTF-32"},
                                                                     {"\xFF\xFE"sv, "UTF-16"},
                                                                     {"\xFE\xFF"sv, "UTF-16"}};
  for (const auto& [mark, name] : marks) {
    if (bytes.starts_with(mark)) return name;
  }
  // Without a mark the zeros tell: the upper bytes of most characters, hardly ever a lower one.
  std::array<std::size_t, 4> zeros{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] == '\0') ++zeros[i % 4];
  }
  const std::size_t quarter = bytes.size() / 4, half = bytes.size() / 2;
  if (quarter > 0 && bytes.size() % 4 == 0) {
    if (zeros[2] == quarter && zeros[3] == quarter && zeros[0] < quarter) return "UTF-32LE";
    if (zeros[0] == quarter && zeros[1] == quarter && zeros[3] < quarter) return "UTF-32BE";
  }
  const std::size_t even = zeros[0] + zeros[2], odd = zeros[1] + zeros[3];
  if (half > 0 && 2 * odd > half && 8 * even <= half) return "UTF-16LE";
  if (half > 0 && 2 * even > half && 8 * odd <= half) return "UTF-16BE";
  return {};
}

/// The encoding with one byte a character, as iconv calls it, of bytes that are no UTF-8 from `fault`
/// on; empty for what is damaged (well-formed sequences stand before) or binary (control characters).
std::string_view narrow_encoding(std::string_view bytes, std::size_t fault) {
  const auto is_high = [](char c) { return static_cast<unsigned char>(c) >= 0x80; };
  const auto is_control = [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 &&
            "\t\n\v\f\r"sv.find(c) == std::string_view::npos) ||
           c == 0x7F;
  };
  if (!is_high(bytes[fault]) || std::ranges::any_of(bytes.substr(0, fault), is_high)) return {};
  if (std::ranges::any_of(bytes, is_control)) return {};
  // Latin-1 has control characters where Windows has quotes and dashes.
  const bool windows = std::ranges::any_of(
      bytes, [&](char c) { return is_high(c) && static_cast<unsigned char>(c) < 0xA0; });
  return windows ? "WINDOWS-1252" : "LATIN1";
}

}  // namespace

std::string text_fault(const std::filesystem::path& path, std::string_view content) {
  const std::string name = path.string();
  if (const std::string_view wide = wide_encoding(content); !wide.empty()) {
    return fmt::format("{}:1: {} text, not UTF-8; `iconv -f {} -t UTF-8 {} > NEW` converts it",
                       name, wide, wide, name);
  }
  const std::size_t fault = std::min(utf8::find_invalid(content), content.find('\0'));
  if (fault >= content.size()) return {};
  std::string message = fmt::format("{}:{}: byte {:#04x} at offset {} is not UTF-8 text", name,
                                    1 + std::ranges::count(content.substr(0, fault), '\n'),
                                    static_cast<unsigned char>(content[fault]), fault);
  if (const std::string_view narrow = narrow_encoding(content, fault); !narrow.empty()) {
    message += fmt::format(" but perhaps {}; `iconv -f {} -t UTF-8 {} > NEW` converts that",
                           narrow == "LATIN1" ? "Latin-1" : "Windows-1252", narrow, name);
  }
  return message;
}

bool drop_byte_order_mark(std::string& content) {
  constexpr std::string_view mark = "\xEF\xBB\xBF";
  if (!content.starts_with(mark)) return false;
  content.erase(0, mark.size());
  return true;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

std::string read_text(const std::filesystem::path& path, std::size_t largest) {
  std::string content = read_file(path, largest);
  if (drop_byte_order_mark(content))
    print_message("rlt: note: {}: byte-order mark dropped", path.string());
  if (const std::string fault = text_fault(path, content); !fault.empty()) {
    fail(Exit::failed, "{}", fault);
  }
  return content;
}

}  // namespace rlt
