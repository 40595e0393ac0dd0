#include "train/baselines.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>
#include <xtensor/xmath.hpp>
#include <xtensor/xtensor.hpp>

#include "base/memory.hpp"
#include "base/size.hpp"
#include "train/dataset.hpp"
#include "train/stop.hpp"

namespace rlt {
namespace {

/// How often each class stood at each position: (length, classes).
using Counts = xt::xtensor<std::uint32_t, 2>;
/// One number for each class.
using ByClass = xt::xtensor<double, 1>;

/// The class with the largest of `classes` numbers; ties: the lower one.
template <typename Number>
int most_frequent(const Number* numbers, Index classes) {
  return static_cast<int>(std::max_element(numbers, numbers + classes) - numbers);
}

class PositionMajority {
 public:
  explicit PositionMajority(ClassFacts classes)
      : classes_(classes.count),
        by_position_(classes.by_position),
        overall_(xt::zeros<double>({classes.count})) {}

  void add(const Example& example) {
    check_stop();
    for (const int target : example.targets) {
      if (target != not_scored) overall_(target) += 1;
    }
    if (!by_position_) return;
    const auto [entry, is_new] = by_length_.try_emplace(example.targets.size());
    Counts& counts = entry->second;
    if (is_new) {
      require_memory(bytes_of(sizeof(Counts::value_type), std::ssize(example.targets), classes_),
                     "what each position of a string mostly holds",
                     "--lengths, --bins or --window");
      counts = xt::zeros<std::uint32_t>({std::ssize(example.targets), classes_});
    }
    for (std::size_t t = 0; t < example.targets.size(); ++t) {
      if (example.targets[t] == not_scored) continue;
      ++counts(t, example.targets[t]);
    }
  }

  /// -log of the frequency of each class, counted once more than seen.
  ByClass losses() const {
    const double all = xt::sum(overall_ + 1.0)();
    return xt::log(all / (overall_ + 1.0));
  }

  /// The class that stands most often at each position of strings of this length; in all strings
  /// where none of the length was seen.
  std::vector<int> guesses(std::size_t length) const {
    const auto entry = by_length_.find(length);
    if (entry == by_length_.end()) {
      return std::vector<int>(length, most_frequent(overall_.data(), classes_));
    }
    std::vector<int> guesses;
    for (std::size_t t = 0; t < length; ++t) {
      guesses.push_back(most_frequent(&entry->second(t, 0), classes_));
    }
    return guesses;
  }

 private:
  Index classes_;
  bool by_position_;
  ByClass overall_;
  std::unordered_map<std::size_t, Counts> by_length_;
};

/// Sums over a set; divided once at the end.
struct Tally {
  Index tokens = 0;
  Index tokens_right = 0;
  Index sequences_right = 0;

  void add(Index scored, Index right) {
    tokens += scored;
    tokens_right += right;
    sequences_right += scored == right ? 1 : 0;
  }
  Accuracy accuracy(Index sequences) const {
    return {static_cast<double>(tokens_right) / static_cast<double>(std::max<Index>(tokens, 1)),
            static_cast<double>(sequences_right) / static_cast<double>(sequences)};
  }
};

std::uint64_t fitting_seed(std::uint64_t evaluation_seed) {
  return Rng(evaluation_seed).stream("baselines").bits(0);
}

Index fitting_size(Index length) { return std::clamp<Index>(4'000'000 / length, 21, 10'000); }

Baselines measure(const std::vector<Example>& scored, const PositionMajority& majority,
                  ClassFacts classes) {
  Baselines result;
  if (scored.empty()) return result;
  Tally positions;
  std::vector<Tally> constants(static_cast<std::size_t>(classes.count));
  std::vector<Index> answers(constants.size());
  const ByClass losses = majority.losses();
  std::vector<Index> count(constants.size());  // of each class in one sequence
  double chance = 0.0;
  std::unordered_map<std::size_t, std::vector<int>> known;
  const auto guesses_for = [&](std::size_t length) -> const std::vector<int>& {
    const auto [entry, is_new] = known.try_emplace(length);
    if (is_new) entry->second = majority.guesses(length);
    return entry->second;
  };
  for (const Example& example : scored) {
    check_stop();
    std::fill(count.begin(), count.end(), 0);
    Index scored_here = 0, right = 0;
    const std::vector<int>& guesses = guesses_for(example.targets.size());
    for (std::size_t t = 0; t < example.targets.size(); ++t) {
      const int target = example.targets[t];
      if (target == not_scored) continue;
      ++scored_here;
      ++count[static_cast<std::size_t>(target)];
      right += guesses[t] == target ? 1 : 0;
    }
    positions.add(scored_here, right);
    for (std::size_t c = 0; c < count.size(); ++c) {
      constants[c].add(scored_here, count[c]);
      result.class_loss += losses(c) * static_cast<double>(count[c]);
      if (static_cast<int>(c) != classes.blank) answers[c] += count[c];
    }
    chance += std::pow(static_cast<double>(classes.count), -static_cast<double>(scored_here));
  }
  const Index answer_count = std::accumulate(answers.begin(), answers.end(), Index{0});
  result.answer_constant = static_cast<double>(*std::ranges::max_element(answers)) /
                           static_cast<double>(std::max<Index>(answer_count, 1));
  result.class_loss /= static_cast<double>(std::max<Index>(positions.tokens, 1));
  const Index sequences = std::ssize(scored);
  result.chance = {1.0 / static_cast<double>(classes.count),
                   chance / static_cast<double>(sequences)};
  result.position_majority = positions.accuracy(sequences);
  for (const Tally& constant : constants) {
    const Accuracy accuracy = constant.accuracy(sequences);
    result.best_constant.token = std::max(result.best_constant.token, accuracy.token);
    result.best_constant.sequence = std::max(result.best_constant.sequence, accuracy.sequence);
  }
  return result;
}

}  // namespace

ClassFacts class_facts(const TaskInfo& info) {
  return {.count = std::ssize(info.outputs), .blank = info.blank, .by_position = !info.documents};
}

Baselines measure_baselines(const std::vector<Example>& scored, const std::vector<Example>& fitted,
                            ClassFacts classes) {
  PositionMajority majority(classes);
  for (const Example& example : fitted) majority.add(example);
  return measure(scored, majority, classes);
}

Baselines window_baselines(const Task& task, Window window, const std::vector<Example>& scored,
                           std::uint64_t evaluation_seed) {
  return measure_baselines(
      scored,
      evaluation_set(task, window, fitting_size(window.high), fitting_seed(evaluation_seed)),
      class_facts(task.info()));
}

Baselines exact_baselines(const Task& task, Index length, const std::vector<Example>& scored,
                          std::uint64_t evaluation_seed) {
  constexpr Index long_string = 10'000;
  const ClassFacts classes = class_facts(task.info());
  const std::uint64_t seed = fitting_seed(evaluation_seed);
  if (length < long_string) {
    return measure_baselines(scored, exact_set(task, length, fitting_size(length), seed), classes);
  }
  // Long strings are counted one by one: a million symbols take 8 MB each, and none comes twice.
  PositionMajority majority(classes);
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(fitting_size(length)); ++i) {
    majority.add(exact_set(task, length, 1, seed + i).front());
  }
  return measure(scored, majority, classes);
}

}  // namespace rlt
