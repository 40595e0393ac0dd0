// listops: sequential ListOps, the value of a nested expression such as [MAX 2 [MIN 7 4 ] 0 ].
// Paper: RFWP (arXiv 2106.06295), generator IDSIA/recurrent-fwp, after Nangia, Bowman 2018.
// Label: at the last token the value of the expression, 0..9; no other position is scored.
// Trees: MIN, MAX and FIRST are equally likely, as are 2..5 arguments; an argument is an operator with
//   probability 1/4, else a uniform digit. The root is an operator. The depth of a tree is the number
//   of operators inside each other; windows and exact lengths are depths. The depth is uniform in the
//   window, the tree then has the distribution of trees GIVEN that depth.
// Sampling: the original draws trees until one has the wanted depth (1.5 % do at depth 10, 0.6 % at
//   15). Drawn here without rejection. With H the height of an argument (0: digit), u = P(H > h):
//     P(H > 0)     = 1/4
//     P(H > h + 1) = 1/4 mean_n (1 - (1 - u)^n) = 1/4 u mean_n S(n, u)
//     where S(n, u) = 1 + (1 - u) + ... + (1 - u)^(n-1)  is  (1 - (1 - u)^n) / u  without loss
//   and p_h = P(H = h | H <= h), an operator of height h + 1 has n arguments with a weight of
//     P(max H = h) ~ P(H <= h)^n S(n, p_h);
//   its arguments are drawn in turn: while none has had height h, the next has it with probability
//   1 / S(r, p_h), where r arguments are left, this one included; afterwards each has it with
//   probability p_h. All others have H < h.
//   An argument with H <= h is an operator with probability (P(H <= h) - 3/4) / P(H <= h), of n
//   arguments with weight P(H <= h - 1)^n. Stack and time are linear in depth and length.
// Paper rule: strings may come twice. Honest rule: the splits share none.
// departs: the original makes every node at its depth 20 a digit, which changes depth 19 alone
//   (deepest arguments are not weighted by 3/4) and allows none above; here nothing is cut.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "tasks/registry.hpp"

namespace rlt {
namespace {

constexpr double operator_probability = 0.25;
constexpr int digits = 10;
constexpr Index fewest = 2, most = 5;  // arguments

// Numbers of the input symbols: a digit is its own.
enum Symbol : int { minimum = digits, maximum, leading, close };

/// 1 + (1 - u) + ... + (1 - u)^(count-1)
double series(Index count, double u) {
  double sum = 1;
  for (Index k = 1; k < count; ++k) sum = 1 + (1 - u) * sum;
  return sum;
}

/// The distribution of an argument's height H.
class Heights {
 public:
  Heights() {
    double above = 1;  // P(H > h - 1)
    for (Index h = 0; h < levels; ++h) {
      double next = operator_probability;  // P(H > h)
      if (h > 0) {
        double mean = 0;
        for (Index n = fewest; n <= most; ++n) mean += series(n, above) / (most - fewest + 1);
        next *= above * mean;
      }
      at_most_.push_back(1 - next);
      reached_.push_back((above - next) / (1 - next));
      above = next;
    }
  }

  /// P(H <= h)
  double at_most(Index h) const { return at(at_most_, h); }
  /// P(H = h | H <= h)
  double reached(Index h) const { return at(reached_, h); }

 private:
  // P(H > h) falls by 7/8 per level: below 1e-17 at the last one, so that none above it would differ.
  static constexpr Index levels = 300;
  static double at(const std::vector<double>& values, Index h) {
    return values[static_cast<std::size_t>(std::min(h, levels - 1))];
  }
  std::vector<double> at_most_, reached_;
};

/// An operator whose bracket is open, with the value of its arguments so far.
struct Open {
  int symbol;
  int value;
  bool is_empty;

  void take(int argument) {
    if (is_empty) value = argument;
    if (symbol == minimum) value = std::min(value, argument);
    if (symbol == maximum) value = std::max(value, argument);
    is_empty = false;
  }
};

/// What is still to be written: an argument whose height is, or is at most, `height`; or a bracket.
struct Pending {
  enum Kind { exactly, at_most, bracket } kind;
  Index height;
};

class Listops final : public Task {
 public:
  explicit Listops(const TaskOptions& options) : info_(listops_info(options)) {}

  const TaskInfo& info() const override { return info_; }

  void draw(Draws& draws, Window window, Example& example) const override {
    draw_exact(draws, draws.between(window.low, window.high), example);
  }

  void draw_exact(Draws& draws, Index depth, Example& example) const override {
    example.tokens.clear();
    std::vector<Open> open = {{leading, 0, true}};  // gathers the value of the whole
    std::vector<Pending> pending = {{Pending::exactly, depth}};
    while (!pending.empty()) {
      const Pending next = pending.back();
      pending.pop_back();
      if (next.kind == Pending::bracket) {
        example.tokens.push_back(close);
        const int value = open.back().value;
        open.pop_back();
        open.back().take(value);
      } else if (is_operator(draws, next)) {
        const int symbol = minimum + static_cast<int>(draws.below(close - minimum));
        example.tokens.push_back(symbol);
        open.push_back({symbol, 0, true});
        pending.push_back({Pending::bracket, 0});
        add_arguments(draws, next, pending);
      } else {
        const int digit = static_cast<int>(draws.below(digits));
        example.tokens.push_back(digit);
        open.back().take(digit);
      }
    }
    example.targets.assign(example.tokens.size(), not_scored);
    example.targets.back() = open.back().value;
  }

  Index possible_length(Index depth) const override { return std::max<Index>(depth, 0); }

 private:
  bool is_operator(Draws& draws, Pending argument) const {
    if (argument.height == 0) return false;
    if (argument.kind == Pending::exactly) return true;
    const double all = heights_.at_most(argument.height);
    return draws.chance((all - heights_.at_most(0)) / all);
  }

  void add_arguments(Draws& draws, Pending whole, std::vector<Pending>& pending) const {
    const Index height = whole.height - 1;
    const double reached = whole.kind == Pending::exactly ? heights_.reached(height) : 0;
    bool is_due = whole.kind == Pending::exactly;  // none has `height` yet
    for (Index left = draw_count(draws, whole); left > 0; --left) {
      if (whole.kind == Pending::at_most) {
        pending.push_back({Pending::at_most, height});
      } else if (draws.chance(is_due ? 1 / series(left, reached) : reached)) {
        pending.push_back({Pending::exactly, height});
        is_due = false;
      } else {
        pending.push_back({Pending::at_most, height - 1});
      }
    }
  }

  /// The number of arguments of an operator.
  Index draw_count(Draws& draws, Pending whole) const {
    const Index height = whole.height - 1;
    std::array<double, most - fewest + 1> weights;
    double sum = 0;
    for (Index n = fewest; n <= most; ++n) {
      double weight = whole.kind == Pending::exactly ? series(n, heights_.reached(height)) : 1;
      for (Index k = 0; k < n; ++k) weight *= heights_.at_most(height);
      sum += weights[static_cast<std::size_t>(n - fewest)] = weight;
    }
    double rest = draws.uniform() * sum;
    Index n = fewest;
    while (n < most && rest >= weights[static_cast<std::size_t>(n - fewest)]) {
      rest -= weights[static_cast<std::size_t>(n - fewest)];
      ++n;
    }
    return n;
  }

  TaskInfo info_;
  Heights heights_;
};

}  // namespace

TaskInfo listops_info(const TaskOptions& options) {
  TaskInfo info;
  info.name = "listops";
  info.summary = "the value of a nested expression of MIN, MAX and FIRST";
  info.source =
      "Irie, Schlag, Csordas, Schmidhuber 2021, arXiv 2106.06295; ListOps: Nangia, Bowman 2018";
  info.rule = options.rule;
  info.label = "at the last token the value of the expression; nothing before it";
  for (int digit = 0; digit < digits; ++digit) info.outputs.push_back(fmt::format("{}", digit));
  info.inputs = info.outputs;
  info.inputs.insert(info.inputs.end(), {"[MIN", "[MAX", "[FIRST", "]"});
  info.length_unit = "depth";
  info.unit_symbols = 40;
  info.exact_in_units = true;
  info.training = {10, 10};
  info.bin_step = 10;
  info.quirks = "0 and 9 are right in 18 of 100 strings each";
  if (options.rule == "honest") {
    info.splits = {.distinct_training = true, .training_avoids_validation = true};
  }
  return info;
}

std::unique_ptr<Task> make_listops(const TaskOptions& options) {
  return std::make_unique<Listops>(options);
}

}  // namespace rlt
