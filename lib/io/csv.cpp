#include "io/csv.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cmath>
#include <optional>
#include <span>
#include <utility>

#include "base/error.hpp"
#include "io/file.hpp"

namespace rlt {
namespace {

namespace fs = std::filesystem;

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

template <typename T>
std::string number_text(T number) {
  if (std::isnan(number)) return "nan";  // of either sign
  return fmt::format("{}", number);      // shortest digits that round-trip, whatever the locale
}

std::string line_of(const std::vector<CsvCell>& row) {
  std::string line;
  for (const CsvCell& cell : row) {
    line += cell.text();
    line += ',';
  }
  if (line == ",") line = "\"\",";  // a blank line would be no row
  if (line.empty()) return "\n";
  line.back() = '\n';
  return line;
}

/// One row of a file: its cells unquoted, and where its line begins and ends.
struct Row {
  std::vector<std::string> cells;
  std::size_t begin = 0;
  std::size_t end = 0;  // behind the line break
  Index line = 0;       // first line of the row, counted from 1
};

/// Takes the rows of a text one after the other.
class Rows {
 public:
  Rows(const fs::path& path, std::string_view text) : path_(path), text_(text) {}

  /// Nothing at the end, and for a torn last line. Error(failed) when a quote never closes though
  /// more lines follow.
  std::optional<Row> next() {
    Row row;
    row.begin = at_;
    row.line = line_;
    std::string cell;
    bool quoted = false;
    for (std::size_t i = at_; i < text_.size(); ++i) {
      const char c = text_[i];
      if (c == '\n') ++line_;
      if (c == '"') {
        // A doubled quote inside quotes closes and opens again: keep one of the two.
        if (!quoted && i > row.begin && text_[i - 1] == '"') cell += '"';
        quoted = !quoted;
      } else if (quoted) {
        cell += c;
      } else if (c == ',' || c == '\n') {
        if (c == '\n' && cell.ends_with('\r')) cell.pop_back();
        row.cells.push_back(std::exchange(cell, {}));
        if (c == '\n') {
          row.end = at_ = i + 1;
          return row;
        }
      } else {
        cell += c;
      }
    }
    if (quoted && text_.substr(row.begin).find('\n') != std::string_view::npos) {
      fail(Exit::failed, "'{}', line {}: a quote is never closed", path_.string(), row.line);
    }
    return std::nullopt;
  }
  std::size_t position() const { return at_; }

 private:
  const fs::path& path_;
  std::string_view text_;
  std::size_t at_ = 0;
  Index line_ = 1;
};

Index step_of(const fs::path& path, const Row& row, std::size_t column) {
  const std::string& cell = row.cells[column];
  Index step = 0;
  const auto [end, code] = std::from_chars(cell.data(), cell.data() + cell.size(), step);
  if (code != std::errc() || end != cell.data() + cell.size()) {
    fail(Exit::failed, "'{}', line {}: step is '{}', expected an integer", path.string(), row.line,
         cell);
  }
  return step;
}

/// The text that stays of an existing file: its whole rows that `keep` accepts. Empty when not even
/// the header is whole.
std::string kept_text(const fs::path& path, const std::string& text,
                      const std::vector<std::string>& columns, const std::string& header_line,
                      const CsvFile::Keep& keep) {
  if (header_line.starts_with(text) && text.size() < header_line.size()) return {};
  Rows rows(path, text);
  std::vector<std::string> found;
  if (const std::optional<Row> header = rows.next()) {
    found = header->cells;
  } else {
    found = {text.substr(0, std::min<std::size_t>(text.size(), 200))};
  }
  if (found != columns) {
    fail(Exit::failed, "'{}' has the columns '{}', expected '{}'", path.string(),
         fmt::join(found, ","), fmt::join(columns, ","));
  }
  std::string kept = text.substr(0, rows.position());
  const auto step = static_cast<std::size_t>(std::ranges::find(columns, "step") - columns.begin());
  if (keep && step == columns.size()) {
    fail(Exit::failed, "internal error: '{}' has no column 'step' to cut by", path.string());
  }
  while (const std::optional<Row> row = rows.next()) {
    if (row->cells.size() != columns.size()) {
      fail(Exit::failed, "'{}', line {}: {} cells, expected {}", path.string(), row->line,
           row->cells.size(), columns.size());
    }
    if (keep && !keep(step_of(path, *row, step))) continue;
    kept.append(text, row->begin, row->end - row->begin);
  }
  return kept;
}

}  // namespace

CsvCell::CsvCell(std::string_view text) : text_(text) {
  const bool outer_blank = !text.empty() && (text.front() == ' ' || text.back() == ' ');
  if (text.find_first_of(",\"\r\n") == std::string_view::npos && !outer_blank) return;
  text_ = "\"";
  for (const char c : text) text_ += c == '"' ? std::string("\"\"") : std::string(1, c);
  text_ += '"';
}
CsvCell::CsvCell(double number) : text_(number_text(number)) {}
CsvCell::CsvCell(float number) : text_(number_text(number)) {}

CsvFile::CsvFile(fs::path path, std::vector<std::string> columns)
    : path_(std::move(path)), columns_(std::move(columns)), last_write_(seconds_now()) {}

CsvFile CsvFile::open(const fs::path& path, std::vector<std::string> columns, const Keep& keep) {
  CsvFile csv(path, std::move(columns));
  const std::string header_line = line_of({csv.columns_.begin(), csv.columns_.end()});
  if (std::optional<Descriptor> stream = Descriptor::stream(path)) {
    csv.file_ = std::move(*stream);
    csv.buffer_ = header_line;
    csv.write();
    return csv;
  }
  std::error_code ignored;
  const std::string old = fs::exists(path, ignored) ? read_file(path) : "";
  std::string text = kept_text(path, old, csv.columns_, header_line, keep);
  if (text.empty()) text = header_line;
  if (text != old) write_file(path, text);
  csv.file_ = Descriptor(path, O_WRONLY | O_APPEND);
  if (!csv.file_.is_open()) fail_system("write", path, errno);
  return csv;
}

CsvFile::~CsvFile() {
  try {
    if (file_.is_open()) write();
  } catch (const Error&) {  // a destructor has nobody to tell
  }
}

void CsvFile::append(const std::vector<CsvCell>& row) {
  if (row.size() != columns_.size()) {
    fail(Exit::failed, "internal error: a row of {} cells for the {} columns of '{}'", row.size(),
         columns_.size(), path_.string());
  }
  buffer_ += line_of(row);
  constexpr std::size_t enough = 16384;
  if (buffer_.size() >= enough || seconds_now() - last_write_ >= 1) write();
}

void CsvFile::flush() {
  write();
  if (const int code = file_.flush(); code != 0) fail_system("write", path_, code);
}

void CsvFile::write() {
  last_write_ = seconds_now();
  if (buffer_.empty()) return;
  struct stat before {};
  const bool known = ::fstat(file_.number(), &before) == 0;
  if (const int code = file_.write(std::as_bytes(std::span(buffer_))); code != 0) {
    // Take back what fitted, unless others write there too. Should even that fail, `open` drops the
    // torn line.
    const bool appends = (::fcntl(file_.number(), F_GETFL) & O_APPEND) != 0;
    if (known && appends && ::ftruncate(file_.number(), before.st_size) != 0) errno = 0;
    fail_system("write", path_, code);
  }
  buffer_.clear();
}

}  // namespace rlt
