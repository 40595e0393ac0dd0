#include "tasks/text_form.hpp"

#include <algorithm>
#include <string_view>

#include "base/error.hpp"
#include "io/text.hpp"

namespace rlt {
namespace {

constexpr std::string_view white_space = " \t\r\f\v";

std::vector<std::string> read_lines(const std::filesystem::path& path) {
  const std::string text = read_text(path);
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string& line = lines.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
    if (line.find_first_not_of(white_space, line.find('\r')) == std::string::npos) continue;
    fail(Exit::failed, "{}:{}: a carriage return inside the line: lines must end in LF or CR LF",
         path.string(), lines.size());
  }
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
      fail(Exit::failed, "{}:{}: '{}' {}", path.string(), line_number, symbol,
           new_symbols == NewSymbols::not_in_run ? "is not among the symbols of the run"
                                                 : "does not occur in the training set");
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

TextForm text_form(const TaskInfo& info, const std::vector<Example>& examples) {
  TextForm form;
  for (const Example& example : examples) {
    if (std::ranges::count(example.targets, not_scored) > 0) {
      fail(Exit::failed, "task {}: the text form has no word for positions that are not scored",
           info.name);
    }
    append_line(example.tokens, info.inputs, form.src);
    append_line(example.targets, info.outputs, form.tgt);
  }
  return form;
}

}  // namespace rlt
