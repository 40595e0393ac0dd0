// shuffle2: two kinds of balanced brackets that may cross, which kinds are open?
// Paper: FL (arXiv 2310.16076), data of Bhattamishra et al. 2020.
// Label: the pair (round open, square open) after t; class 2 round + square.
// Paper rule: the grammar of brackets.hpp with two pairs; rejected below the window.
// Honest rule: two strings of the grammar, one per kind and neither empty, interleaved uniformly;
//   rejected outside the window.
// Exact lengths: a uniformly random well nested string (paper); two uniformly random balanced
//   strings, the division of the length between them uniform, interleaved uniformly (honest).
// Quirks: the paper's strings are Dyck-2: always well nested, a crossing like ([)] never occurs,
//   though labels are two independent counters; short strings are in both training and Bin0.
#include "tasks/brackets.hpp"
#include "tasks/language.hpp"
#include "tasks/registry.hpp"

namespace rlt {
namespace {

/// Appends round and square (each in the order it has) so that every interleaving is equally
/// likely.
void append_interleaved(Draws& draws, const std::vector<int>& round, const std::vector<int>& square,
                        std::vector<int>& string) {
  Index i = 0, j = 0;
  while (i + j < std::ssize(round) + std::ssize(square)) {
    const Index left = std::ssize(round) - i;
    const bool from_round = draws.below(left + std::ssize(square) - j) < left;
    string.push_back(from_round ? round[static_cast<std::size_t>(i)]
                                : square[static_cast<std::size_t>(j)] + 2);
    ++(from_round ? i : j);
  }
}

class Shuffle2 final : public Language {
 public:
  explicit Shuffle2(const TaskOptions& options) : Language(shuffle2_info(options)) {}

  Index possible_length(Index length) const override {
    const Index shortest = honest() ? 4 : 2;
    return length < shortest ? 0 : length / 2 * 2;
  }

 private:
  void draw_string(Draws& draws, Window window, std::vector<int>& string) const override {
    if (honest()) return draw_crossing(draws, window, string);
    do {
      string.clear();
      append_grammar(draws, 2, window.high, string);
    } while (std::ssize(string) < window.low || string.empty());
  }

  static void draw_crossing(Draws& draws, Window window, std::vector<int>& string) {
    std::vector<int> round, square;
    Index length = 0;
    do {
      round.clear();
      square.clear();
      append_grammar(draws, 1, window.high, round);
      append_grammar(draws, 1, window.high, square);
      length = std::ssize(round) + std::ssize(square);
    } while (round.empty() || square.empty() || length < window.low || length > window.high);
    append_interleaved(draws, round, square, string);
  }

  void draw_string_exact(Draws& draws, Index length, std::vector<int>& string) const override {
    if (!honest()) return append_balanced(draws, 2, length, string);
    std::vector<int> round, square;
    const Index in_round = 2 * draws.between(1, length / 2 - 1);
    append_balanced(draws, 1, in_round, round);
    append_balanced(draws, 1, length - in_round, square);
    append_interleaved(draws, round, square, string);
  }

  void label(const std::vector<int>& string, std::vector<int>& targets) const override {
    Index depth[2] = {0, 0};  // round, square
    for (std::size_t t = 0; t < string.size(); ++t) {
      depth[string[t] / 2] += opens(string[t]) ? 1 : -1;
      targets[t] = (depth[0] > 0 ? 2 : 0) + (depth[1] > 0 ? 1 : 0);
    }
  }
};

}  // namespace

TaskInfo shuffle2_info(const TaskOptions& options) {
  TaskInfo info;
  info.name = "shuffle2";
  info.summary = "two kinds of balanced brackets that may cross: which kinds are open?";
  info.source = formal_languages_source;
  info.rule = options.rule;
  info.label = "two bits: a round bracket is open after t, a square bracket is open after t";
  info.inputs = {"(", ")", "[", "]"};
  info.outputs = {"00", "01", "10", "11"};
  info.splits.distinct_training = true;
  info.splits.training_avoids_validation = options.rule == "honest";
  if (options.rule == "paper") {
    info.quirks =
        "every string is well nested (Dyck-2): a crossing like ([)] never occurs; training and "
        "Bin0 "
        "are drawn independently: short strings are in both";
  }
  return info;
}

std::unique_ptr<Task> make_shuffle2(const TaskOptions& options) {
  return std::make_unique<Shuffle2>(options);
}

}  // namespace rlt
