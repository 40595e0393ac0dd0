#include "tasks/series_csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>

#include "base/error.hpp"
#include "base/number.hpp"
#include "io/csv_reader.hpp"
#include "io/file.hpp"
#include "io/standard_streams.hpp"
#include "io/text.hpp"

namespace rlt {
namespace {

bool is_missing(std::string_view cell) {
  constexpr std::string_view words[] = {"", "nan", "NaN", "NAN", "na", "NA", "null", "NULL"};
  return std::ranges::find(words, cell) != std::end(words);
}

/// Seconds since 1970 of an ISO date, with or without the time of the day.
std::optional<double> iso_seconds(std::string_view text) {
  constexpr std::string_view form = "0000-00-00 00:00:00.";
  const std::size_t size = std::min(text.size(), form.size());
  if (size != 10 && size != 16 && size != 19 && text.size() <= form.size()) return {};
  for (std::size_t i = 0; i < size; ++i) {
    const char c = text[i];
    const bool fits = form[i] == '0'   ? c >= '0' && c <= '9'
                      : form[i] == ' ' ? c == ' ' || c == 'T'
                                       : c == form[i];
    if (!fits) return {};
  }
  const auto number = [&](std::size_t begin, std::size_t digits) {
    int value = 0;
    for (const char c : text.substr(std::min(begin, text.size()), digits)) {
      value = 10 * value + (c - '0');
    }
    return value;
  };
  const std::chrono::year_month_day day{std::chrono::year(number(0, 4)),
                                        std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                        std::chrono::day(static_cast<unsigned>(number(8, 2)))};
  const int hour = number(11, 2), minute = number(14, 2), second = number(17, 2);
  if (!day.ok() || hour > 23 || minute > 59 || second > 59) return {};
  double fraction = 0;
  if (text.size() > form.size()) {
    const std::string_view digits = text.substr(form.size());
    if (digits.find_first_not_of("0123456789") != std::string_view::npos) return {};
    fraction = parse_number<double>(fmt::format("0.{}", digits)).value_or(0);
  }
  const auto days = std::chrono::sys_days(day).time_since_epoch().count();
  return 86400.0 * static_cast<double>(days) + 3600.0 * hour + 60.0 * minute + second + fraction;
}

class Reader {
 public:
  Reader(const std::filesystem::path& path, Missing missing)
      : path_(path), missing_(missing), file_(open_regular(path)), rows_(file_, path_) {}

  SeriesTable read() {
    read_header();
    for (std::optional<CsvRow> row = rows_.next(); row; row = rows_.next()) {
      if (is_blank(*row)) {
        require_end(row->line);
        break;
      }
      read_row(*row);
    }
    if (table_.rows < 2) {
      fail(Exit::failed, "{}: a series has two rows or more under its header, this has {}",
           path_.string(), table_.rows);
    }
    if (carried_ > 0) {
      print_message("rlt: note: {}: {} missing values carried forward, the first at line {}, {}",
                    path_.string(), carried_, first_carried_line_, first_carried_channel_);
    }
    if (unequal_line_ > 0) {
      print_message(
          "rlt: note: {}:{}: the step to this date is not that of the rows before; "
          "steps are counted, not timed",
          path_.string(), unequal_line_);
    }
    return std::move(table_);
  }

 private:
  [[noreturn]] void fail_at(Index line, std::size_t column, const std::string& what) const {
    const std::string name = column == 0 ? "date" : table_.channels[column - 1];
    fail(Exit::failed, "{}:{}: column {} ({}): {}", path_.string(), line, column + 1, name, what);
  }

  void require_end(Index blank_line) {
    for (std::optional<CsvRow> row = rows_.next(); row; row = rows_.next()) {
      if (!is_blank(*row)) fail(Exit::failed, "{}:{}: blank line", path_.string(), blank_line);
    }
  }

  void read_header() {
    std::optional<CsvRow> header = rows_.next();
    if (!header) fail(Exit::failed, "{}: is empty", path_.string());
    std::vector<std::string>& cells = header->cells;
    if (!cells.empty()) drop_byte_order_mark(cells[0]);
    if (cells.empty() || trimmed(cells[0]) != "date") {
      fail(Exit::failed, "{}:1: column 1: must be headed 'date', not '{}'", path_.string(),
           cells.empty() ? "" : cells[0]);
    }
    if (cells.size() < 2) fail(Exit::failed, "{}:1: no column but 'date'", path_.string());
    for (std::size_t i = 1; i < cells.size(); ++i) {
      const std::string name(trimmed(cells[i]));
      if (name.empty()) fail(Exit::failed, "{}:1: column {}: has no name", path_.string(), i + 1);
      if (std::ranges::find(table_.channels, name) != table_.channels.end()) {
        fail(Exit::failed, "{}:1: column {}: a second '{}'", path_.string(), i + 1, name);
      }
      table_.channels.push_back(name);
    }
  }

  void read_row(const CsvRow& row) {
    const std::size_t columns = table_.channels.size() + 1;
    if (row.cells.size() != columns) {
      fail(Exit::failed, "{}:{}: {} cells, the header has {}", path_.string(), row.line,
           row.cells.size(), columns);
    }
    read_date(row.line, trimmed(row.cells[0]));
    for (std::size_t i = 1; i < columns; ++i) {
      table_.values.push_back(read_value(row.line, i, trimmed(row.cells[i])));
    }
    ++table_.rows;
  }

  void read_date(Index line, std::string_view cell) {
    const std::optional<double> number = parse_number<double>(cell);
    const std::optional<double> date = number ? number : iso_seconds(cell);
    if (!date) {
      fail_at(line, 0,
              fmt::format("'{}' is neither YYYY-MM-DD HH:MM:SS, with less or no time, nor "
                          "a number",
                          cell));
    }
    const bool is_number = number.has_value();
    if (table_.rows == 0) {
      dates_are_numbers_ = is_number;
    } else {
      if (is_number != dates_are_numbers_) {
        fail_at(line, 0,
                fmt::format("'{}' is {}, dates before are not", cell,
                            is_number ? "a plain number" : "a date"));
      }
      const double step = *date - last_date_;
      if (step <= 0) {
        fail_at(line, 0,
                fmt::format("'{}' is {}", cell,
                            step == 0 ? "the date of the row before" : "before the row before"));
      }
      if (table_.rows == 1) step_ = step;
      // Numbers such as 0.1, 0.2, 0.3 have equal steps but for rounding.
      const double allowed = 1e-9 * std::max(std::abs(*date), step_);
      if (unequal_line_ == 0 && std::abs(step - step_) > allowed) unequal_line_ = line;
    }
    last_date_ = *date;
  }

  double read_value(Index line, std::size_t column, std::string_view cell) {
    if (!is_missing(cell)) {
      const std::optional<double> value = parse_number<double>(cell);
      if (!value) fail_at(line, column, fmt::format("'{}' is not a number", cell));
      if (std::abs(*value) > std::numeric_limits<float>::max()) {
        fail_at(line, column, fmt::format("'{}' is too large", cell));
      }
      return *value;
    }
    const std::string what = cell.empty() ? "empty" : fmt::format("'{}'", cell);
    if (missing_ == Missing::error) {
      fail_at(line, column, what + ": give a value, or --task-option missing=forward");
    }
    if (table_.rows == 0) fail_at(line, column, what + ": there is no value to carry forward");
    if (carried_++ == 0) {
      first_carried_line_ = line;
      first_carried_channel_ = table_.channels[column - 1];
    }
    return table_.values[table_.values.size() - table_.channels.size()];
  }

  std::filesystem::path path_;
  Missing missing_;
  Descriptor file_;
  CsvReader rows_;
  SeriesTable table_;
  bool dates_are_numbers_ = false;
  double last_date_ = 0, step_ = 0;
  Index unequal_line_ = 0;
  Index carried_ = 0, first_carried_line_ = 0;
  std::string first_carried_channel_;
};

}  // namespace

SeriesTable read_series(const std::filesystem::path& path, Missing missing) {
  return Reader(path, missing).read();
}

}  // namespace rlt
