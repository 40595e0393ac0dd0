#include "tasks/event_references.hpp"

#include <algorithm>
#include <cmath>

namespace rlt {
namespace {

void count_seen(const EventLoss& loss, bool correct, double error, Score& score) {
  score.loss += loss.time + loss.mark;
  score.time_loss += loss.time;
  ++score.tokens;
  if (correct) ++score.tokens_correct;
  ++score.numbers;
  score.squared_error += error * error;
  score.absolute_error += std::abs(error);
}

void count_censored(double loss, Score& score) {
  score.loss += loss;
  score.time_loss += loss;
}

}  // namespace

Score oracle_score(const PointProcess& process, double unit, Index features,
                   const Example& example) {
  Score score;
  const std::unique_ptr<History> history = process.begin();
  for (std::size_t i = 0; i < example.tokens.size(); ++i) {
    history->pass(example.reals[i * static_cast<std::size_t>(features)] * unit);
    history->add(example.tokens[i]);
    const double tau = example.real_targets[2 * i];
    const int mark = example.targets[i];
    if (mark < 0) {
      count_censored(history->compensator(tau * unit), score);
      continue;
    }
    EventLoss loss = loss_of(*history, tau * unit, mark);
    loss.time -= std::log(unit);  // p(tau) = unit p(tau unit)
    const Expectation expected = expect_next(*history);
    const auto likely = std::ranges::max_element(expected.marks) - expected.marks.begin();
    count_seen(loss, likely == mark, expected.wait / unit - tau, score);
  }
  return score;
}

ConstantRate::ConstantRate(const std::vector<Example>& train, std::size_t marks) {
  double seen = 0, time = 0;
  std::vector<double> counts(marks, 1);
  for (const Example& example : train) {
    for (std::size_t i = 0; i < example.targets.size(); ++i) {
      time += example.real_targets[2 * i];
      if (example.targets[i] < 0) continue;
      ++seen;
      ++counts[example.targets[i]];
    }
  }
  rate_ = std::max(seen, 1.0) / time;
  for (const double count : counts) {
    mark_losses_.push_back(-std::log(count / (seen + static_cast<double>(marks))));
  }
  most_frequent_ = static_cast<int>(std::ranges::max_element(counts) - counts.begin());
}

Score ConstantRate::score(const Example& example) const {
  Score score;
  for (std::size_t i = 0; i < example.targets.size(); ++i) {
    const double tau = example.real_targets[2 * i];
    const int mark = example.targets[i];
    if (mark < 0) {
      count_censored(rate_ * tau, score);
      continue;
    }
    count_seen({rate_ * tau - std::log(rate_), mark_losses_[mark]}, mark == most_frequent_,
               1 / rate_ - tau, score);
  }
  return score;
}

}  // namespace rlt
