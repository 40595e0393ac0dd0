// dyck1: balanced round brackets, is one open?
// Paper: FL (arXiv 2310.16076), data of Bhattamishra et al. 2020.
// Label: 1 if a bracket is open after t (closing allowed), else 0.
// Paper and honest rule: the grammar of brackets.hpp with one pair; rejected below the window.
// Exact lengths: uniform over all balanced strings.
// Quirks: under the paper rule training and Bin0 are drawn independently, so short strings are in
//   both; the honest rule keeps them apart.
#include "tasks/brackets.hpp"
#include "tasks/language.hpp"
#include "tasks/registry.hpp"

namespace rlt {
namespace {

class Dyck1 final : public Language {
 public:
  explicit Dyck1(const TaskOptions& options) : Language(dyck1_info(options)) {}

  Index possible_length(Index length) const override { return length < 2 ? 0 : length / 2 * 2; }

 private:
  void draw_string(Draws& draws, Window window, std::vector<int>& string) const override {
    do {
      string.clear();
      append_grammar(draws, 1, window.high, string);
    } while (std::ssize(string) < window.low || string.empty());
  }

  void draw_string_exact(Draws& draws, Index length, std::vector<int>& string) const override {
    append_balanced(draws, 1, length, string);
  }

  void label(const std::vector<int>& string, std::vector<int>& targets) const override {
    Index depth = 0;
    for (std::size_t t = 0; t < string.size(); ++t) {
      depth += opens(string[t]) ? 1 : -1;
      targets[t] = depth > 0 ? 1 : 0;
    }
  }
};

}  // namespace

TaskInfo dyck1_info(const TaskOptions& options) {
  TaskInfo info;
  info.name = "dyck1";
  info.summary = "balanced round brackets: is one open?";
  info.source = formal_languages_source;
  info.rule = options.rule;
  info.label = "1 if a bracket is open after t, else 0";
  info.inputs = {"(", ")"};
  info.outputs = {"0", "1"};
  info.splits.distinct_training = true;
  info.splits.training_avoids_validation = options.rule == "honest";
  if (options.rule == "paper") {
    info.quirks = "training and Bin0 are drawn independently: short strings are in both";
  }
  return info;
}

std::unique_ptr<Task> make_dyck1(const TaskOptions& options) {
  return std::make_unique<Dyck1>(options);
}

}  // namespace rlt
