// word_problem: the running product of group elements.
// Paper: Merrill, Petty, Sabharwal (arXiv 2404.08819). Groups of order 60 tell cells apart: Z60 is abelian, A4xZ5
//   solvable, A5 not solvable.
// Label: after x_1..x_t the element x_1 x_2 ... x_t. What a product is: group.hpp.
// Inputs: elements, uniform and independent; with elements=generators the identity and a few that generate the group.
// held_out=N (arXiv 2606.07254): N ordered pairs of inputs are never neighbours in strings of a window, which training,
//   validation and bins consist of; strings of exact length (--lengths, --horizon) hold at least one of them, at a
//   uniform place. Which pairs depends on the group and the inputs alone, and those of a smaller N are among those of a
//   larger one. Every input keeps at least half of its followers and predecessors.
// Both rules: the length is uniform in the window, a training set holds no string twice. Honest rule: the splits share
//   none.
// departs: the paper's sets are of one length and of length 2, and its last product alone may be asked; here lengths are
//   spread over a window as in the formal languages. The pairs of arXiv 2606.07254 are its own; its sets without
//   them are training alone, not validation and bins.
#include <algorithm>
#include <numeric>

#include "base/number.hpp"
#include "tasks/group.hpp"
#include "tasks/language.hpp"
#include "tasks/registry.hpp"

namespace rlt {
namespace {

/// What the options say.
struct Chosen {
  Group group;
  std::vector<int> inputs;  // the element of each input symbol
  Index held_out = 0;
};

const std::string default_group = "S3";

std::vector<int> all_elements(const Group& group) {
  std::vector<int> elements(static_cast<std::size_t>(group.order()));
  std::iota(elements.begin(), elements.end(), 0);
  return elements;
}

std::vector<int> generators(const Group& group) {
  std::vector<int> elements = {0};
  elements.insert(elements.end(), group.generators().begin(), group.generators().end());
  return elements;
}

/// An ordered pair of inputs.
struct Pair {
  int first, second;
};

/// The pairs that are held out, and whether one is.
class HeldOut {
 public:
  HeldOut(const std::string& group, Index inputs, Index count)
      : inputs_(inputs), is_held_out_(static_cast<std::size_t>(inputs * inputs), 0) {
    if (count == 0) return;
    const auto half = static_cast<std::size_t>(inputs / 2);
    std::vector<std::size_t> followers(static_cast<std::size_t>(inputs));
    std::vector<std::size_t> predecessors = followers;
    for (const Index pair : shuffled(group)) {
      if (std::ssize(pairs_) == count) break;
      const Index first = pair / inputs, second = pair % inputs;
      std::size_t& after = followers[static_cast<std::size_t>(first)];
      std::size_t& before = predecessors[static_cast<std::size_t>(second)];
      if (after == half || before == half) continue;
      ++after;
      ++before;
      pairs_.push_back({static_cast<int>(first), static_cast<int>(second)});
      is_held_out_[static_cast<std::size_t>(pair)] = 1;
    }
  }

  bool contains(int first, int second) const {
    return is_held_out_[static_cast<std::size_t>(first * inputs_ + second)] != 0;
  }
  const std::vector<Pair>& pairs() const { return pairs_; }

 private:
  /// All pairs in an order of their own for each group (Fisher, Yates).
  std::vector<Index> shuffled(const std::string& group) const {
    Draws draws(Rng(0).stream("word_problem held_out").stream(group));
    std::vector<Index> order(is_held_out_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<Index>(i);
    for (Index i = std::ssize(order) - 1; i > 0; --i) {
      std::swap(order[static_cast<std::size_t>(i)],
                order[static_cast<std::size_t>(draws.below(i + 1))]);
    }
    return order;
  }

  Index inputs_;
  std::vector<Pair> pairs_;
  std::vector<std::uint8_t> is_held_out_;  // (inputs, inputs)
};

class WordProblem final : public Language {
 public:
  WordProblem(const TaskOptions& options, const std::string& name, const Chosen& chosen)
      : Language(word_problem_info(options)),
        order_(chosen.group.order()),
        table_(chosen.group.multiplication_table()),
        elements_(chosen.inputs),
        held_out_(name, std::ssize(chosen.inputs), chosen.held_out) {}

  Index possible_length(Index length) const override {
    return length >= info().min_length ? length : 0;
  }

 private:
  void draw_string(Draws& draws, Window window, std::vector<int>& string) const override {
    const Index length = draws.between(window.low, window.high);
    while (std::ssize(string) < length) {
      const int next = input(draws);
      if (string.empty() || !held_out_.contains(string.back(), next)) string.push_back(next);
    }
  }

  void draw_string_exact(Draws& draws, Index length, std::vector<int>& string) const override {
    for (Index t = 0; t < length; ++t) string.push_back(input(draws));
    const std::vector<Pair>& pairs = held_out_.pairs();
    if (pairs.empty()) return;
    const Pair pair = pairs[static_cast<std::size_t>(draws.below(std::ssize(pairs)))];
    const auto place = static_cast<std::size_t>(draws.below(length - 1));
    string[place] = pair.first;
    string[place + 1] = pair.second;
  }

  int input(Draws& draws) const { return static_cast<int>(draws.below(std::ssize(elements_))); }

  void label(const std::vector<int>& string, std::vector<int>& targets) const override {
    Index product = 0;
    for (std::size_t t = 0; t < string.size(); ++t) {
      const int element = elements_[static_cast<std::size_t>(string[t])];
      product = table_[static_cast<std::size_t>(product * order_ + element)];
      targets[t] = static_cast<int>(product);
    }
  }

  Index order_;
  std::vector<std::uint16_t> table_;  // (order, order)
  std::vector<int> elements_;         // of each input
  HeldOut held_out_;
};

std::string group_name(const TaskOptions& options) {
  const auto group = options.options.find("group");
  return group == options.options.end() ? default_group : group->second;
}

Index most_held_out(Index inputs) { return inputs * inputs / 4; }

std::vector<int> inputs_of(const Group& group, const TaskOptions& options) {
  const auto elements = options.options.find("elements");
  const bool all = elements == options.options.end() || elements->second == "all";
  return all ? all_elements(group) : generators(group);
}

}  // namespace

TaskInfo word_problem_info(const TaskOptions& options) {
  TaskInfo info;
  info.name = "word_problem";
  info.summary = "the running product of elements of a group";
  info.source =
      "Merrill, Petty, Sabharwal 2024, arXiv 2404.08819; pairs held out: arXiv 2606.07254";
  info.rule = options.rule;
  info.label = "x_1 x_2 ... x_t; a product of permutations does its right factor first";
  const Group group(group_name(options));
  const std::vector<int> inputs = inputs_of(group, options);
  info.options = {{.name = "group",
                   .value = default_group,
                   .help = "S_n, A_n, Z_n, D_n (2n elements) or a product, at most 1024 elements",
                   .choices = {},
                   .form = "S3, A5, Z60, A4xZ5 ..."},
                  {.name = "elements",
                   .value = "all",
                   .help = "what is read: every element, or the identity and a generating set",
                   .choices = {"all", "generators"}},
                  {.name = "held_out",
                   .value = "0",
                   .help = "ordered pairs that are neighbours in no window's string, but in every "
                           "string of exact length",
                   .choices = {},
                   .low = 0,
                   .high = static_cast<double>(most_held_out(std::ssize(inputs))),
                   .whole = true}};
  const OptionValues chosen =
      complete_options("task-option", info.name, info.options, options.options);
  info.outputs = group.elements();
  for (const int element : inputs) {
    info.inputs.push_back(group.elements()[static_cast<std::size_t>(element)]);
  }
  if (chosen.at("held_out") != "0") info.min_length = 2;
  info.splits = {.distinct_training = true, .training_avoids_validation = options.rule == "honest"};
  return info;
}

std::unique_ptr<Task> make_word_problem(const TaskOptions& options) {
  const TaskInfo info = word_problem_info(options);
  const OptionValues values =
      complete_options("task-option", info.name, info.options, options.options);
  const Group group(values.at("group"));
  const Chosen chosen{.group = group,
                      .inputs = inputs_of(group, options),
                      .held_out = parse_number<Index>(values.at("held_out")).value()};
  return std::make_unique<WordProblem>(options, values.at("group"), chosen);
}

}  // namespace rlt
