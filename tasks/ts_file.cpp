#include "tasks/ts_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>

#include "base/error.hpp"
#include "base/number.hpp"
#include "io/standard_streams.hpp"
#include "io/text.hpp"

namespace rlt {
namespace {

constexpr std::string_view white_space = " \t\r";

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (text = trimmed(text); !text.empty(); text = trimmed(text)) {
    const std::size_t end = std::min(text.find_first_of(white_space), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return words;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t end = 0; end != std::string_view::npos;) {
    end = text.find(separator);
    parts.push_back(trimmed(text.substr(0, end)));
    if (end != std::string_view::npos) text.remove_prefix(end + 1);
  }
  return parts;
}

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

class Reader {
 public:
  Reader(const std::filesystem::path& path, Missing missing) : path_(path), missing_(missing) {}

  TsFile read() {
    const std::string text = read_text(path_);
    bool in_data = false;
    for (const std::string_view line : split(text, '\n')) {
      ++line_;
      if (line.empty() || line.starts_with('#')) continue;
      if (in_data) {
        read_series(line);
      } else {
        in_data = read_header(line);
      }
    }
    if (!in_data) fail(Exit::failed, "{}: has no line @data", path_.string());
    if (file_.series.empty()) fail(Exit::failed, "{}: holds no series", path_.string());
    if (carried_ > 0) {
      print_message("rlt: note: {}: {} missing values carried forward, the first at line {}",
                    path_.string(), carried_, first_carried_);
    }
    return std::move(file_);
  }

 private:
  [[noreturn]] void fail_here(const std::string& what) const {
    fail(Exit::failed, "{}:{}: {}", path_.string(), line_, what);
  }

  /// True when it is @data.
  bool read_header(std::string_view line) {
    const std::vector<std::string> words = words_of(line);
    const std::string key = lower(words[0]);
    if (!key.starts_with('@')) fail_here(fmt::format("'{}' before the line @data", words[0]));
    if (key == "@data") {
      if (file_.classes.empty()) fail_here("no line @classLabel true CLASS CLASS ... before it");
      return true;
    }
    const std::string value = words.size() > 1 ? lower(words[1]) : "";
    if (key == "@targetlabel") fail_here("@targetLabel: labels must be classes");
    if (key == "@timestamps" && value != "false") fail_here("@timeStamps: only false is read");
    if (key == "@univariate" && value == "true") channels_ = 1;
    if (key == "@dimensions" || key == "@dimension") channels_ = number(key, value);
    if (key == "@serieslength") length_ = number(key, value);
    if (key == "@equallength") equal_ = value == "true";
    if (key == "@classlabel") read_classes(words, value);
    return false;
  }

  Index number(const std::string& key, const std::string& value) const {
    const std::optional<Index> count = parse_number<Index>(value);
    if (!count || *count < 1) {
      fail_here(fmt::format("{} '{}': must be a whole number from 1 on", key, value));
    }
    return *count;
  }

  void read_classes(const std::vector<std::string>& words, const std::string& value) {
    if (value != "true") fail_here("@classLabel: only series with classes are read");
    file_.classes.assign(words.begin() + 2, words.end());
    for (std::size_t i = 0; i < file_.classes.size(); ++i) {
      const auto end = file_.classes.begin() + static_cast<std::ptrdiff_t>(i);
      if (std::find(file_.classes.begin(), end, *end) != end) {
        fail_here(fmt::format("@classLabel names '{}' twice", *end));
      }
    }
    if (file_.classes.size() < 2) fail_here("@classLabel names less than two classes");
  }

  void read_series(std::string_view line) {
    std::vector<std::string_view> parts = split(line, ':');
    const std::string_view label = parts.back();
    parts.pop_back();
    if (parts.empty()) fail_here("no ':' between series and class");
    TsSeries series;
    series.line = line_;
    const auto known = std::ranges::find(file_.classes, label);
    if (known == file_.classes.end()) {
      fail_here(fmt::format("class '{}' is not in @classLabel", label));
    }
    series.label = static_cast<int>(known - file_.classes.begin());
    if (!channels_) channels_ = std::ssize(parts);
    if (std::ssize(parts) != *channels_) {
      fail_here(fmt::format("{} dimensions, {} expected", parts.size(), *channels_));
    }
    file_.channels = *channels_;
    for (std::size_t c = 0; c < parts.size(); ++c) read_dimension(parts[c], c, series.values);
    file_.series.push_back(std::move(series));
  }

  /// Dimension c of `values` (T, C).
  void read_dimension(std::string_view text, std::size_t c, std::vector<float>& values) {
    const std::vector<std::string_view> cells = split(text, ',');
    const std::size_t channels = static_cast<std::size_t>(*channels_);
    if (c == 0) {
      if (equal_ && !length_) length_ = std::ssize(cells);
      if (length_ && std::ssize(cells) != *length_) {
        fail_here(fmt::format("a series of {} values, {} expected", cells.size(), *length_));
      }
      values.resize(cells.size() * channels);
    } else if (cells.size() * channels != values.size()) {
      fail_here(fmt::format("dimension {} has {} values, dimension 1 has {}", c + 1, cells.size(),
                            values.size() / channels));
    }
    for (std::size_t t = 0; t < cells.size(); ++t) {
      values[t * channels + c] = read_value(cells[t], c, t, values);
    }
  }

  float read_value(std::string_view cell, std::size_t c, std::size_t t,
                   const std::vector<float>& values) {
    const auto fail_cell = [&](std::string_view what) {
      fail_here(fmt::format("dimension {}, value {}: '{}' {}", c + 1, t + 1, cell, what));
    };
    if (cell == "?" || lower(std::string(cell)) == "nan") {
      if (missing_ == Missing::error) {
        fail_cell("is missing: give a value, or --task-option missing=forward");
      }
      if (t == 0) fail_cell("is missing, and there is no value to carry forward");
      if (carried_++ == 0) first_carried_ = line_;
      return values[(t - 1) * static_cast<std::size_t>(*channels_) + c];
    }
    const std::optional<double> value = parse_number<double>(cell);
    if (!value) fail_cell("is not a number");
    if (std::abs(*value) > std::numeric_limits<float>::max()) fail_cell("is too large");
    return static_cast<float>(*value);
  }

  std::filesystem::path path_;
  Missing missing_;
  TsFile file_;
  Index line_ = 0;
  std::optional<Index> channels_, length_;
  bool equal_ = false;
  Index carried_ = 0, first_carried_ = 0;
};

}  // namespace

TsFile read_ts(const std::filesystem::path& path, Missing missing) {
  return Reader(path, missing).read();
}

}  // namespace rlt
