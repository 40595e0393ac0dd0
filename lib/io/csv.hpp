// Tables as CSV: a header, one observation per row, numbers that read back to the same bits.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/index.hpp"
#include "io/descriptor.hpp"

namespace rlt {

/// One cell, already as the text that the file holds. `{}` is an empty cell: missing.
class CsvCell {
 public:
  CsvCell() = default;
  /// Quoted where it must be (comma, quote, line break, outer blanks).
  CsvCell(std::string_view text);
  CsvCell(const std::string& text) : CsvCell(std::string_view(text)) {}
  CsvCell(const char* text) : CsvCell(std::string_view(text)) {}
  CsvCell(std::integral auto number) : text_(std::to_string(number)) {}
  /// The shortest digits that give back the same number; nan, inf, -inf.
  CsvCell(double number);
  CsvCell(float number);

  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// A table that grows; several processes may append to one file. It holds whole rows only: a failed
/// write is taken back, and the torn last row of a killed process is removed, with a message, by
/// whoever writes next.
/// A last row that only lacks its line break is whole when it has all its columns, and gets the break
/// (editors leave such files; that a row was torn inside its last cell cannot be seen).
class CsvFile {
 public:
  using Keep = std::function<bool(Index step)>;

  /// Begins the file, or goes on in one that has the same header. With `keep`, the old rows whose
  /// column `step` it refuses are removed first (a resumed run cuts what came after its checkpoint):
  /// a new file takes the place of the old one, so that nobody else may be writing.
  /// A device, a pipe, or what stdout goes to just gets header and rows. Error(failed) when the file
  /// cannot be read or written, has another header, a row with a wrong number of cells, a quote that
  /// never closes, or a step that is no integer.
  static CsvFile open(const std::filesystem::path& path, std::vector<std::string> columns,
                      const Keep& keep = {});
  /// Header and rows to stdout.
  static CsvFile standard_output(std::vector<std::string> columns);
  /// Writes what is buffered; errors are lost: call `flush` before.
  ~CsvFile();
  CsvFile(CsvFile&&) noexcept = default;
  CsvFile& operator=(CsvFile&&) = delete;

  const std::filesystem::path& path() const { return path_; }
  const std::vector<std::string>& columns() const { return columns_; }

  /// Rows gather in memory and go to the file some at a time, at the latest with the first `append`
  /// a second after. As many cells as columns. Error(failed) when the file cannot be written (full
  /// disk): the file then still ends with a whole row, and the buffered rows are kept.
  void append(const std::vector<CsvCell>& row);
  /// Puts all rows on the disk. Call it before writing a checkpoint: resuming counts on the rows
  /// up to its step.
  void flush();

 private:
  CsvFile(std::filesystem::path path, std::vector<std::string> columns);
  void begin_stream(Descriptor stream);
  void cut(const Keep& keep) const;
  void reopen();
  void mend();
  void write();
  void put(const std::string& text);

  std::filesystem::path path_;
  std::vector<std::string> columns_;
  std::string header_;  // the line
  Descriptor file_;
  bool stream_ = false;
  std::uint64_t whole_ = 0;  // bytes of a file that hold whole rows, when we saw it last
  std::string buffer_;
  double last_write_ = 0;
};

}  // namespace rlt
