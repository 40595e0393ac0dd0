#include "tasks/text_form.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/error.hpp"
#include "io/file.hpp"

namespace rlt {
namespace {

constexpr std::string_view white_space = " \t\r\f\v";

std::vector<std::string> read_lines(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file || is_folder(path)) {
    fail(Exit::failed, "{}: cannot be read: {}", path.string(),
         file ? "it is a folder" : std::strerror(errno));
  }
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(std::move(line));
  if (file.bad())
    fail(Exit::failed, "{}: reading failed after {} lines", path.string(), lines.size());
  while (!lines.empty() && lines.back().find_first_not_of(white_space) == std::string::npos) {
    lines.pop_back();
  }
  if (lines.empty()) fail(Exit::failed, "{}: holds no sequence", path.string());
  return lines;
}

/// Numbers the symbols of one line.
std::vector<int> read_line(const std::filesystem::path& path, std::size_t line_number,
                           std::string_view line, Vocabulary& vocabulary, NewSymbols new_symbols) {
  std::vector<int> numbers;
  std::size_t begin = line.find_first_not_of(white_space);
  while (begin != std::string_view::npos) {
    const std::size_t end = std::min(line.find_first_of(white_space, begin), line.size());
    const std::string_view symbol = line.substr(begin, end - begin);
    numbers.push_back(new_symbols == NewSymbols::add ? vocabulary.add(symbol)
                                                     : vocabulary.find(symbol));
    if (numbers.back() < 0) {
      fail(Exit::failed, "{}:{}: '{}' does not occur in the training set", path.string(),
           line_number, symbol);
    }
    begin = line.find_first_not_of(white_space, end);
  }
  if (numbers.empty()) fail(Exit::failed, "{}:{}: blank line", path.string(), line_number);
  return numbers;
}

void append_line(const std::vector<int>& numbers, const std::vector<std::string>& symbols,
                 std::string& text) {
  for (std::size_t t = 0; t < numbers.size(); ++t) {
    if (t > 0) text += ' ';
    text += symbols[static_cast<std::size_t>(numbers[t])];
  }
  text += '\n';
}

}  // namespace

int Vocabulary::add(std::string_view symbol) {
  const auto [entry, is_new] =
      numbers_.emplace(std::string(symbol), static_cast<int>(symbols_.size()));
  if (is_new) symbols_.emplace_back(symbol);
  return entry->second;
}

int Vocabulary::find(std::string_view symbol) const {
  const auto entry = numbers_.find(std::string(symbol));
  return entry == numbers_.end() ? -1 : entry->second;
}

std::vector<Example> read_text_form(const std::filesystem::path& src,
                                    const std::filesystem::path& tgt, Vocabulary& inputs,
                                    Vocabulary& outputs, NewSymbols new_symbols) {
  const std::vector<std::string> sources = read_lines(src);
  const std::vector<std::string> targets = read_lines(tgt);
  if (sources.size() != targets.size()) {
    fail(Exit::failed, "{} has {} lines, {} has {}: they must pair up", src.string(),
         sources.size(), tgt.string(), targets.size());
  }
  std::vector<Example> examples(sources.size());
  for (std::size_t i = 0; i < examples.size(); ++i) {
    Example& example = examples[i];
    example.tokens = read_line(src, i + 1, sources[i], inputs, new_symbols);
    example.targets = read_line(tgt, i + 1, targets[i], outputs, new_symbols);
    if (example.tokens.size() != example.targets.size()) {
      fail(Exit::failed, "{}:{}: {} classes for the {} symbols of {}", tgt.string(), i + 1,
           example.targets.size(), example.tokens.size(), src.string());
    }
  }
  return examples;
}

void write_text_form(const std::filesystem::path& base, const TaskInfo& info,
                     const std::vector<Example>& examples) {
  std::string src, tgt;
  for (const Example& example : examples) {
    for (const int target : example.targets) {
      if (target != not_scored) continue;
      fail(Exit::failed, "task {}: the text form has no word for positions that are not scored",
           info.name);
    }
    append_line(example.tokens, info.inputs, src);
    append_line(example.targets, info.outputs, tgt);
  }
  write_file(base.string() + ".src", src);
  write_file(base.string() + ".tgt", tgt);
}

}  // namespace rlt
