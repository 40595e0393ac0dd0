#include "io/csv_reader.hpp"

#include <span>
#include <utility>

#include "base/error.hpp"
#include "io/file.hpp"
#include "io/text.hpp"

namespace rlt {
namespace {

constexpr std::size_t buffer_size = std::size_t{1} << 16;
constexpr std::size_t longest_row = std::size_t{1} << 20;

}  // namespace

CsvReader::CsvReader(const Descriptor& file, const std::filesystem::path& path)
    : file_(file), path_(path) {}

std::optional<CsvRow> CsvReader::next() {
  CsvRow row;
  row.begin = offset_;
  row.line = line_;
  std::string cell;
  bool quoted = false;
  bool many_lines = false;
  for (char c = 0; !row.ended && row.text.size() <= longest_row && next_byte(c);) {
    // A doubled quote inside quotes closes and opens again: keep one of the two.
    if (c == '"' && !quoted && row.text.ends_with('"')) cell += '"';
    row.text += c;
    if (c == '\n') {
      ++line_;
      many_lines = true;
    }
    if (c == '"') {
      quoted = !quoted;
    } else if (quoted || (c != ',' && c != '\n')) {
      cell += c;
    } else {
      row.ended = c == '\n';
      if (row.ended && cell.ends_with('\r')) cell.pop_back();
      row.cells.push_back(std::exchange(cell, {}));
    }
  }
  if (row.text.empty()) return std::nullopt;
  if (quoted && many_lines) {
    fail(Exit::failed, "'{}', line {}: a quote is never closed", path_.string(), row.line);
  }
  if (row.text.size() > longest_row) {
    fail(Exit::failed, "'{}', line {}: longer than {} bytes: this is no table", path_.string(),
         row.line, longest_row);
  }
  // What stands behind an open quote is no cell.
  if (!row.ended && !quoted) row.cells.push_back(std::move(cell));
  return row;
}

bool CsvReader::next_byte(char& byte) {
  if (at_ == buffer_.size()) {
    buffer_.resize(buffer_size);
    buffer_.resize(read_at(file_, path_, read_, std::as_writable_bytes(std::span(buffer_))));
    read_ += buffer_.size();
    at_ = 0;
    if (buffer_.empty()) return false;
  }
  byte = buffer_[at_++];
  ++offset_;
  return true;
}

bool is_blank(const CsvRow& row) {
  return row.text.find_first_not_of(" \t\r\n") == std::string::npos;
}

void read_table(const std::filesystem::path& path, const std::function<void(CsvRow)>& header,
                const std::function<void(const CsvRow&)>& body) {
  if (const std::string fault = text_fault(path, read_file(path)); !fault.empty()) {
    fail(Exit::failed, "{}", fault);
  }
  const Descriptor file = open_regular(path);
  CsvReader rows(file, path);
  Index blank_line = 0;
  bool is_header = true;
  while (std::optional<CsvRow> row = rows.next()) {
    if (blank_line > 0 && !is_blank(*row)) {
      fail(Exit::failed, "{}:{}: blank line", path.string(), blank_line);
    }
    if (is_blank(*row)) {
      if (blank_line == 0) blank_line = row->line;
    } else if (is_header) {
      header(std::move(*row));
      is_header = false;
    } else {
      body(*row);
    }
  }
}

}  // namespace rlt
