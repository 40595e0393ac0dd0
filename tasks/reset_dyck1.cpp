// reset_dyck1: balanced round brackets and a reset symbol 1 that closes all, is one open?
// Paper: FL (arXiv 2310.16076).
// Label: 1 if a bracket opened since the last reset is open after t, else 0; 0 at the reset
//   itself.
// Paper rule: a uniformly random prefix of one string of the grammar (brackets.hpp), one reset, a
//   second string of the grammar; rejected below the window.
// Honest rule: any number of (prefix, reset), then a string of the grammar; rejected outside the
//   window. One more reset follows with probability 2/3, so their mean is 2 before rejection.
// Exact lengths, paper: the part behind the reset has an even length, uniform among those that
//   fit. Honest: the number of resets as above, their places uniform. Balanced parts are uniform,
//   prefixes are cut from uniform balanced strings whose length is uniform between that of the cut
//   and of all.
// Quirks of the paper rule: exactly one reset; only the lower end of the window holds: lengths
//   reach 2 high + 1.
#include <algorithm>

#include "tasks/brackets.hpp"
#include "tasks/language.hpp"
#include "tasks/registry.hpp"

namespace rlt {
namespace {

constexpr int reset = 2;
constexpr double another_reset = 2.0 / 3.0;  // honest rule

/// Appends a uniformly random prefix (0..all symbols) of a string of the grammar.
void append_grammar_prefix(Draws& draws, Index high, std::vector<int>& string) {
  const Index begin = std::ssize(string);
  append_grammar(draws, 1, high, string);
  string.resize(static_cast<std::size_t>(begin + draws.between(0, std::ssize(string) - begin)));
}

/// Appends `length` symbols cut from a balanced string of at most `high` (rounded up to even).
void append_cut(Draws& draws, Index length, Index high, std::vector<int>& string) {
  const Index whole = 2 * draws.between(divide_up(length, 2), divide_up(high, 2));
  append_prefix(draws, length, whole, string);
}

class ResetDyck1 final : public Language {
 public:
  explicit ResetDyck1(const TaskOptions& options) : Language(reset_dyck1_info(options)) {}

  Index possible_length(Index length) const override { return length >= 1 ? length : 0; }

 private:
  void draw_string(Draws& draws, Window window, std::vector<int>& string) const override {
    const Index longest = honest() ? window.high : 2 * window.high + 1;
    do {
      string.clear();
      bool more = honest() ? draws.chance(another_reset) : true;
      while (more) {
        append_grammar_prefix(draws, window.high, string);
        string.push_back(reset);
        more = honest() && draws.chance(another_reset);
      }
      append_grammar(draws, 1, window.high, string);
    } while (std::ssize(string) < window.low || std::ssize(string) > longest);
  }

  void draw_string_exact(Draws& draws, Index length, std::vector<int>& string) const override {
    std::vector<Index> resets;  // their places, ascending
    if (honest()) {
      while (!draw_resets(draws, length, resets)) resets.clear();
    } else {
      resets = {length - 1 - 2 * draws.between(0, (length - 1) / 2)};
    }
    for (const Index place : resets) {
      append_cut(draws, place - std::ssize(string), length, string);
      string.push_back(reset);
    }
    append_balanced(draws, 1, length - std::ssize(string), string);
  }

  /// False where two resets fall on one place or the part behind the last one cannot be balanced.
  static bool draw_resets(Draws& draws, Index length, std::vector<Index>& resets) {
    while (draws.chance(another_reset)) resets.push_back(draws.below(length));
    std::sort(resets.begin(), resets.end());
    if (std::adjacent_find(resets.begin(), resets.end()) != resets.end()) return false;
    const Index begin = resets.empty() ? 0 : resets.back() + 1;
    return (length - begin) % 2 == 0;
  }

  void label(const std::vector<int>& string, std::vector<int>& targets) const override {
    Index depth = 0;
    for (std::size_t t = 0; t < string.size(); ++t) {
      if (string[t] == reset) {
        depth = 0;
      } else {
        depth += opens(string[t]) ? 1 : -1;
      }
      targets[t] = depth > 0 ? 1 : 0;
    }
  }
};

}  // namespace

TaskInfo reset_dyck1_info(const TaskOptions& options) {
  TaskInfo info;
  info.name = "reset_dyck1";
  info.summary = "balanced round brackets, 1 closes them all: is one open?";
  info.source = formal_languages_source;
  info.rule = options.rule;
  info.label = "1 if a bracket opened since the last reset is open after t, else 0";
  info.inputs = {"(", ")", "1"};
  info.outputs = {"0", "1"};
  info.splits = {.distinct_training = true, .training_avoids_validation = true};
  if (options.rule == "paper") {
    info.unit_symbols = 3;
    info.quirks =
        "exactly one reset in every string; only the lower end of the window holds, lengths reach "
        "2 high + 1";
  }
  return info;
}

std::unique_ptr<Task> make_reset_dyck1(const TaskOptions& options) {
  return std::make_unique<ResetDyck1>(options);
}

}  // namespace rlt
