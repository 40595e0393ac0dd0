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
#include "io/csv_reader.hpp"
#include "io/file.hpp"
#include "io/standard_streams.hpp"

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

Index step_of(const fs::path& path, const CsvRow& row, std::size_t column) {
  const std::string& cell = row.cells[column];
  Index step = 0;
  const auto [end, code] = std::from_chars(cell.data(), cell.data() + cell.size(), step);
  if (code != std::errc() || end != cell.data() + cell.size()) {
    fail(Exit::failed, "'{}', line {}: step is '{}', expected an integer", path.string(), row.line,
         cell);
  }
  return step;
}

void check_header(const fs::path& path, const CsvRow& row,
                  const std::vector<std::string>& columns) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";  // spreadsheets write it
  std::vector<std::string> found = row.cells;
  if (!found.empty() && found.front().starts_with(byte_order_mark)) {
    found.front().erase(0, byte_order_mark.size());
  }
  if (found == columns) return;
  constexpr std::size_t longest = 200;
  const std::string shown = fmt::format("{}", fmt::join(row.cells, ","));
  fail(Exit::failed, "'{}' has the columns '{}', expected '{}'", path.string(),
       shown.substr(0, longest), fmt::join(columns, ","));
}

/// Where the whole rows of a file end, and whether the last of them has its line break.
struct Whole {
  std::uint64_t end = 0;  // 0: not even the header is whole
  bool ended = true;
  std::string torn;  // what stands behind them
};

/// Calls visit(row) for every whole row, the header included.
template <typename Visit>
Whole for_whole_rows(const Descriptor& file, const fs::path& path,
                     const std::vector<std::string>& columns, const std::string& header_line,
                     const Visit& visit) {
  CsvReader reader(file, path);
  Whole whole;
  while (const std::optional<CsvRow> row = reader.next()) {
    if (!row->ended && row->cells.size() < columns.size() && row->begin > 0) {
      whole.torn = row->text;
      break;
    }
    if (row->begin == 0) {
      if (!row->ended && header_line.starts_with(row->text)) break;
      check_header(path, *row, columns);
    } else if (row->cells.size() != columns.size()) {
      fail(Exit::failed, "'{}', line {}: {} cells, expected {}", path.string(), row->line,
           row->cells.size(), columns.size());
    }
    visit(*row);
    whole.end = row->begin + row->text.size();
    whole.ended = row->ended;
  }
  return whole;
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
    : path_(std::move(path)),
      columns_(std::move(columns)),
      header_(line_of({columns_.begin(), columns_.end()})),
      last_write_(seconds_now()) {}

CsvFile CsvFile::open(const fs::path& path, std::vector<std::string> columns, const Keep& keep) {
  CsvFile csv(path, std::move(columns));
  if (std::optional<Descriptor> stream = Descriptor::stream(path)) {
    csv.begin_stream(std::move(*stream));
    return csv;
  }
  if (keep) csv.cut(keep);
  csv.reopen();
  const FileLock lock(csv.file_, csv.path_);
  csv.mend();
  return csv;
}

CsvFile CsvFile::standard_output(std::vector<std::string> columns) {
  CsvFile csv("stdout", std::move(columns));
  csv.begin_stream(Descriptor::standard_output());
  return csv;
}

void CsvFile::begin_stream(Descriptor stream) {
  file_ = std::move(stream);
  stream_ = true;
  put(header_);
}

/// Leaves the rows that `keep` accepts, in a new file that replaces the old one.
void CsvFile::cut(const Keep& keep) const {
  const auto step =
      static_cast<std::size_t>(std::ranges::find(columns_, "step") - columns_.begin());
  if (step == columns_.size()) {
    fail(Exit::failed, "internal error: '{}' has no column 'step' to cut by", path_.string());
  }
  std::string kept;
  bool changed = true;
  if (file_exists(path_)) {
    const Descriptor file = open_regular(path_);
    changed = false;
    const Whole whole = for_whole_rows(file, path_, columns_, header_, [&](const CsvRow& row) {
      if (row.begin == 0 || keep(step_of(path_, row, step))) {
        kept += row.text;
        if (!row.ended) kept += '\n';
      } else {
        changed = true;
      }
    });
    changed = changed || !whole.ended || whole.end != file_size(file, path_);
  }
  if (changed) write_file(path_, kept.empty() ? header_ : kept);
}

void CsvFile::reopen() {
  // Not O_CREAT at once: Linux then refuses files of others in folders like /tmp, even to root.
  file_ = Descriptor(path_, O_RDWR | O_APPEND);
  if (!file_.is_open() && errno == ENOENT) file_ = Descriptor(path_, O_RDWR | O_APPEND | O_CREAT);
  if (!file_.is_open()) fail_system("write", path_, errno);
  whole_ = 0;
}

/// With the lock: leaves the file with the header and a line break behind its last row. Reads it anew
/// only where that may not be so.
void CsvFile::mend() {
  const std::uint64_t size = file_size(file_, path_);
  if (whole_ > 0 && size >= whole_) {
    std::byte last{};
    read_at(file_, path_, size - 1, {&last, 1});
    if (last == std::byte{'\n'}) return;
  }
  const Whole whole = for_whole_rows(file_, path_, columns_, header_, [](const CsvRow&) {});
  if (whole.end < size && ::ftruncate(file_.number(), static_cast<off_t>(whole.end)) != 0) {
    fail_system("write", path_, errno);
  }
  if (!whole.torn.empty()) {
    print_message("{}: the last row was torn and is removed: {}", path_.string(), whole.torn);
  }
  if (whole.end == 0) put(header_);
  if (!whole.ended) put("\n");
  whole_ = file_size(file_, path_);
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
  if (stream_) {
    put(buffer_);
  } else {
    // Another program may have put another file in the place of ours.
    struct stat facts {};
    if (::fstat(file_.number(), &facts) == 0 && facts.st_nlink == 0) reopen();
    const FileLock lock(file_, path_);
    mend();
    put(buffer_);
    whole_ = file_size(file_, path_);
  }
  buffer_.clear();
}

/// All of it or, where we append, nothing.
void CsvFile::put(const std::string& text) {
  struct stat before {};
  const bool known = ::fstat(file_.number(), &before) == 0;
  const int code = file_.write(std::as_bytes(std::span(text)));
  if (code == 0) return;
  // What fitted is taken back. Should even that fail, `mend` removes the torn line.
  const bool appends = (::fcntl(file_.number(), F_GETFL) & O_APPEND) != 0;
  if (known && appends && ::ftruncate(file_.number(), before.st_size) != 0) errno = 0;
  fail_system("write", path_, code);
}

}  // namespace rlt
