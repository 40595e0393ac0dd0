// parity: is the number of ones read so far even?
// Paper: FL (arXiv 2310.16076), data of Bhattamishra et al. 2020.
// Label: 1 if the ones in x_1..x_t are even in number, else 0.
// Paper rule: with L = floor((low + high) / 2) and p = L / (2 (1 + L)), append 0 or 1 with
//   probability p each, stop with 1 - 2p, cap at high; reject below low; an odd total gets one
//   more 1, or is rejected where that does not fit.
// Honest rule: length uniform in the window, fair independent bits, either total.
// Quirks of the paper rule: all totals are even, most strings end in 1, lengths pile up at high.
// departs: the paper's generator rejects duplicates before that last 1 is appended, so its sets
//   hold a few strings twice; ours hold none.
#include "tasks/language.hpp"
#include "tasks/registry.hpp"

namespace rlt {
namespace {

class Parity final : public Language {
 public:
  explicit Parity(const TaskOptions& options) : Language(parity_info(options)) {}

  Index possible_length(Index length) const override { return length >= 1 ? length : 0; }

 private:
  void draw_string(Draws& draws, Window window, std::vector<int>& string) const override {
    if (honest()) return fair_bits(draws, draws.between(window.low, window.high), string);
    while (!draw_paper(draws, window, string)) string.clear();
  }

  /// False where the sampler rejects.
  static bool draw_paper(Draws& draws, Window window, std::vector<int>& string) {
    const Index whole_middle =
        (window.low + window.high) / 2;  // rounded down, as the generator does
    const auto middle = static_cast<double>(whole_middle);
    const double bit = middle / (2.0 * (1.0 + middle));
    int sum = 0;
    Index length = 0;
    for (; length < window.high; ++length) {
      const double u = draws.uniform();
      if (u >= 2.0 * bit) break;
      string.push_back(u < bit ? 0 : 1);
      sum ^= string.back();
    }
    if (length < window.low) return false;
    if (sum == 0) return true;
    string.push_back(1);
    return length < window.high;
  }

  void draw_string_exact(Draws& draws, Index length, std::vector<int>& string) const override {
    fair_bits(draws, length, string);
    if (honest()) return;
    int sum = 0;  // the last bit makes the total even, as in every string of the paper rule
    for (const int bit : string) sum ^= bit;
    string.back() ^= sum;
  }

  static void fair_bits(Draws& draws, Index length, std::vector<int>& string) {
    for (Index i = 0; i < length; ++i) string.push_back(static_cast<int>(draws.below(2)));
  }

  void label(const std::vector<int>& string, std::vector<int>& targets) const override {
    int even = 1;
    for (std::size_t t = 0; t < string.size(); ++t) targets[t] = even ^= string[t];
  }
};

}  // namespace

TaskInfo parity_info(const TaskOptions& options) {
  TaskInfo info;
  info.name = "parity";
  info.summary = "is the number of ones read so far even?";
  info.source = formal_languages_source;
  info.rule = options.rule;
  info.label = "1 if x_1..x_t holds an even number of ones, else 0";
  info.inputs = {"0", "1"};
  info.outputs = {"0", "1"};
  info.splits = {.distinct_training = true, .training_avoids_validation = true};
  if (options.rule == "paper") {
    info.quirks =
        "every string holds an even number of ones in total (odd ones get a 1 appended, so about "
        "three in four end in 1); many strings sit exactly at the upper end of the window";
  }
  return info;
}

std::unique_ptr<Task> make_parity(const TaskOptions& options) {
  return std::make_unique<Parity>(options);
}

}  // namespace rlt
