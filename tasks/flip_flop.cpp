// flip_flop: what was written last? (flip-flop language modelling)
// Paper: Liu, Ash, Goel, Krishnamurthy, Zhang 2023 (arXiv 2306.00946).
// Strings: pairs of an instruction and a bit. The first instruction is w (write), the last r (read); between them each is
//   i (ignore) with probability `ignore`, else w or r, equally likely. Bits after w and i are fair; the bit after r is
//   that after the last w.
// Label: at every r the bit that follows; no other position is scored.
// Errors per million reads: 10^6 (tokens - tokens_correct) / tokens, of the counts in eval.csv.
// Sets of the paper: training with ignore=0.8, tests with 0.98 (sparse writes) and 0.1 (dense) at the same length,
//   rlt eval RUN --task-option ignore=0.98 --lengths 512.
// Both rules: the number of pairs is uniform in the window. Honest rule: the splits share no string.
#include <algorithm>

#include "base/number.hpp"
#include "tasks/language.hpp"
#include "tasks/registry.hpp"

namespace rlt {
namespace {

enum Symbol : int { write_bit, read_bit, ignore_bit, zero, one };

constexpr Index shortest = 4;  // w bit r bit

OptionValues chosen_values(const TaskInfo& info, const TaskOptions& options) {
  return complete_options("task-option", info.name, info.options, options.options);
}

class FlipFlop final : public Language {
 public:
  explicit FlipFlop(const TaskOptions& options) : Language(flip_flop_info(options)) {
    ignore_ = parse_number<double>(chosen_values(info(), options).at("ignore")).value();
  }

  Index possible_length(Index length) const override {
    return length >= shortest ? length - length % 2 : 0;
  }

 private:
  void draw_string(Draws& draws, Window window, std::vector<int>& string) const override {
    const Index fewest = std::max(divide_up(window.low, Index{2}), shortest / 2);
    draw_string_exact(draws, 2 * draws.between(fewest, window.high / 2), string);
  }

  void draw_string_exact(Draws& draws, Index length, std::vector<int>& string) const override {
    int written = zero;
    for (Index t = 0; t < length; t += 2) {
      const int instruction = t == 0            ? write_bit
                              : t == length - 2 ? read_bit
                                                : middle_instruction(draws);
      int bit = zero + static_cast<int>(draws.below(2));
      if (instruction == write_bit) written = bit;
      if (instruction == read_bit) bit = written;
      string.push_back(instruction);
      string.push_back(bit);
    }
  }

  int middle_instruction(Draws& draws) const {
    const double u = draws.uniform();
    if (u < ignore_) return ignore_bit;
    return u < ignore_ + (1 - ignore_) / 2 ? write_bit : read_bit;
  }

  void label(const std::vector<int>& string, std::vector<int>& targets) const override {
    for (std::size_t t = 0; t < string.size(); t += 2) {
      targets[t] = string[t] == read_bit ? string[t + 1] - zero : not_scored;
      targets[t + 1] = not_scored;
    }
  }

  double ignore_ = 0;
};

}  // namespace

TaskInfo flip_flop_info(const TaskOptions& options) {
  TaskInfo info;
  info.name = "flip_flop";
  info.summary = "what bit was written last?";
  info.source = "Liu, Ash, Goel, Krishnamurthy, Zhang 2023, arXiv 2306.00946";
  info.rule = options.rule;
  info.label =
      "at every r (read) the bit after the last w (write); nothing elsewhere. Errors per million "
      "reads: "
      "10^6 (tokens - tokens_correct) / tokens of eval.csv";
  info.inputs = {"w", "r", "i", "0", "1"};
  info.outputs = {"0", "1"};
  info.min_length = 2;
  info.training = {512, 512};
  info.bin_step = 512;
  info.options = {
      {.name = "ignore",
       .value = "0.8",
       .help = "share of the instructions that are i; the paper tests with 0.98 and 0.1",
       .choices = {},
       .low = 0,
       .high = 1}};
  chosen_values(info, options);
  if (options.rule == "honest") {
    info.splits = {.distinct_training = true, .training_avoids_validation = true};
  }
  return info;
}

std::unique_ptr<Task> make_flip_flop(const TaskOptions& options) {
  return std::make_unique<FlipFlop>(options);
}

}  // namespace rlt
