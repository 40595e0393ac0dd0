// Text files: UTF-8, checked, without a byte-order mark.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "io/file.hpp"

namespace rlt {

/// Why the content of `path` is not UTF-8 text (Unicode 15.0, table 3-7) without NUL: "PATH:LINE: ...",
/// with the encoding that it seems to have and what converts it. Empty when it is.
std::string text_fault(const std::filesystem::path& path, std::string_view content);

/// Removes the byte-order mark at the beginning; false when there is none.
bool drop_byte_order_mark(std::string& content);

/// Without the blanks, tabs and carriage returns around it.
std::string_view trimmed(std::string_view text);

/// The whole file as `read_file` reads it; a message tells of a byte-order mark that was dropped.
/// Error(failed) when it cannot be read or is not UTF-8 text.
std::string read_text(const std::filesystem::path& path, std::size_t largest = largest_file);

}  // namespace rlt
