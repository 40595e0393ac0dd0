#include "tasks/events_csv.hpp"

#include <optional>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "base/number.hpp"
#include "io/csv_reader.hpp"
#include "io/text.hpp"

namespace rlt {
namespace {

constexpr int absent = -1;

/// Where each column stands.
struct Columns {
  int sequence = absent, time = absent, mark = absent;
  std::size_t count = 0;
};

class Reader {
 public:
  Reader(const std::filesystem::path& path, Vocabulary& marks, bool adds_marks)
      : path_(path.string()), marks_(marks), adds_marks_(adds_marks) {}

  void read_header(CsvRow row) {
    drop_byte_order_mark(row.cells.front());
    columns_.count = row.cells.size();
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      const std::string& name = row.cells[i];
      int* const place = name == "sequence" ? &columns_.sequence
                         : name == "time"   ? &columns_.time
                         : name == "mark"   ? &columns_.mark
                                            : nullptr;
      if (place == nullptr) {
        fail(Exit::failed, "{}:{}: unknown column '{}'; the columns are sequence, time, mark",
             path_, row.line, name);
      }
      if (*place != absent) {
        fail(Exit::failed, "{}:{}: column '{}' stands there twice", path_, row.line, name);
      }
      *place = static_cast<int>(i);
    }
    if (columns_.sequence == absent) miss(row.line, "sequence");
    if (columns_.time == absent) miss(row.line, "time");
  }

  void read_event(const CsvRow& row) {
    if (row.cells.size() != columns_.count) {
      fail(Exit::failed, "{}:{}: {} cells for {} columns", path_, row.line, row.cells.size(),
           columns_.count);
    }
    EventSequence& sequence = sequence_of(row);
    const double time = time_of(row);
    if (!sequence.events.empty() && time <= sequence.events.back().time) {
      const double before = sequence.events.back().time;
      refuse(row, "time",
             time == before ? fmt::format("{} once more in sequence '{}': times must differ", time,
                                          sequence.name)
                            : fmt::format("{} after {} in sequence '{}': times must rise", time,
                                          before, sequence.name));
    }
    sequence.events.push_back({time, mark_of(row)});
  }

  std::vector<EventSequence> finish() {
    for (const EventSequence& sequence : sequences_) {
      if (std::ssize(sequence.events) > 1) continue;
      fail(Exit::failed,
           "{}:{}: column 'sequence': '{}' has one event, which leaves nothing to foretell", path_,
           sequence.line, sequence.name);
    }
    if (sequences_.empty()) fail(Exit::failed, "{}: holds no event", path_);
    return std::move(sequences_);
  }

 private:
  [[noreturn]] void miss(Index line, std::string_view column) const {
    fail(Exit::failed, "{}:{}: column '{}' is missing", path_, line, column);
  }
  [[noreturn]] void refuse(const CsvRow& row, std::string_view column,
                           const std::string& why) const {
    fail(Exit::failed, "{}:{}: column '{}': {}", path_, row.line, column, why);
  }

  const std::string& cell(const CsvRow& row, int place, std::string_view column) const {
    const std::string& text = row.cells[static_cast<std::size_t>(place)];
    if (text.empty()) refuse(row, column, "empty");
    return text;
  }

  EventSequence& sequence_of(const CsvRow& row) {
    const std::string& name = cell(row, columns_.sequence, "sequence");
    const auto number = static_cast<std::size_t>(names_.add(name));
    if (number == sequences_.size()) sequences_.push_back({name, row.line, {}});
    return sequences_[number];
  }

  double time_of(const CsvRow& row) const {
    const std::string& text = cell(row, columns_.time, "time");
    const std::optional<double> time = parse_number<double>(text);
    if (!time) refuse(row, "time", fmt::format("'{}' is no finite number", text));
    if (*time < 0) refuse(row, "time", fmt::format("{} is negative", text));
    return *time;
  }

  int mark_of(const CsvRow& row) {
    const std::string& mark =
        columns_.mark == absent ? only_mark_ : cell(row, columns_.mark, "mark");
    if (mark.find_first_of(" \t\r\n\f\v") != std::string::npos) {
      refuse(row, "mark", fmt::format("'{}' holds white space", mark));
    }
    const int number = adds_marks_ ? marks_.add(mark) : marks_.find(mark);
    if (number < 0) {
      refuse(row, "mark", fmt::format("'{}' is not among the symbols of the run", mark));
    }
    return number;
  }

  const std::string only_mark_ = "event";
  std::string path_;
  Vocabulary& marks_;
  bool adds_marks_;
  Columns columns_;
  Vocabulary names_;
  std::vector<EventSequence> sequences_;
};

}  // namespace

std::vector<EventSequence> read_events_csv(const std::filesystem::path& path, Vocabulary& marks,
                                           bool adds_marks) {
  Reader reader(path, marks, adds_marks);
  read_table(
      path, [&](CsvRow row) { reader.read_header(std::move(row)); },
      [&](const CsvRow& row) { reader.read_event(row); });
  return reader.finish();
}

}  // namespace rlt
