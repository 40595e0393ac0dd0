// Reads a CSV file row by row, in little memory whatever its size.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/index.hpp"
#include "io/descriptor.hpp"

namespace rlt {

struct CsvRow {
  std::vector<std::string> cells;  // unquoted
  std::string text;                // as it stands in the file, line break included
  std::uint64_t begin = 0;         // offset in the file
  Index line = 0;                  // first line of the row, counted from 1
  bool ended = false;              // by a line break outside quotes
};

class CsvReader {
 public:
  /// Both must outlive the reader.
  CsvReader(const Descriptor& file, const std::filesystem::path& path);

  /// The next row; the last may lack its line break. Nothing at the end. Error(failed) when a quote
  /// never closes though more lines follow, or a row is longer than a mebibyte: this is no table.
  std::optional<CsvRow> next();

 private:
  /// Moves on to the next byte; false at the end.
  bool next_byte(char& byte);

  const Descriptor& file_;
  const std::filesystem::path& path_;
  std::string buffer_;
  std::size_t at_ = 0;        // in the buffer
  std::uint64_t read_ = 0;    // bytes of the file up to the end of the buffer
  std::uint64_t offset_ = 0;  // of the next byte
  Index line_ = 1;
};

/// Holds nothing but white space.
bool is_blank(const CsvRow& row);

/// A whole table: header(its first row), then body(row) for every other. Error(failed) where the file is no regular one or
/// no UTF-8 text, and for a blank line before the end.
void read_table(const std::filesystem::path& path, const std::function<void(CsvRow)>& header,
                const std::function<void(const CsvRow&)>& body);

}  // namespace rlt
