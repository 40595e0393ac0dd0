#include "tasks/counter.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace rlt {

Index Counter::possible_length(Index length) const {
  return length < letters() ? 0 : length / letters() * letters();
}

void Counter::draw_string(Draws& draws, Window window, std::vector<int>& string) const {
  if (honest()) {
    window.low = std::max<Index>(1, divide_up(window.low, letters()));
    window.high = window.high / letters();
  }
  draw_string_exact(draws, draws.between(window.low, window.high) * letters(), string);
}

void Counter::draw_string_exact(Draws&, Index length, std::vector<int>& string) const {
  const Index n = length / letters();
  for (Index letter = 0; letter < letters(); ++letter) {
    string.insert(string.end(), static_cast<std::size_t>(n), static_cast<int>(letter));
  }
}

void Counter::label(const std::vector<int>& string, std::vector<int>& targets) const {
  const Index n = std::ssize(string) / letters();
  for (Index t = 0; t < std::ssize(string); ++t) {
    const auto letter = static_cast<int>(t / n);
    const bool last = t % n == n - 1;
    targets[static_cast<std::size_t>(t)] = letter > 0 && last ? letter + 1 : letter;
  }
}

TaskInfo counter_info(const TaskOptions& options, std::vector<std::string> letters) {
  TaskInfo info;
  info.source = formal_languages_source;
  info.rule = options.rule;
  info.outputs.push_back(letters[0] + "|" + letters[1]);
  info.outputs.insert(info.outputs.end(), letters.begin() + 1, letters.end());
  info.outputs.emplace_back("T");
  info.inputs = std::move(letters);
  info.quirks = "one string per n: Bin0 holds nothing but training strings";
  if (options.rule == "paper") {
    info.length_unit = "n";
    info.unit_symbols = std::ssize(info.inputs);
    info.quirks +=
        fmt::format("; the window bounds n, so strings are {} times as long", info.inputs.size());
  }
  return info;
}

}  // namespace rlt
