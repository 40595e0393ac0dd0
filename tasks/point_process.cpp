#include "tasks/point_process.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>

#include "losses/normal_tail.hpp"
#include "tasks/hawkes.hpp"

namespace rlt {
namespace {

double sum(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

class PoissonHistory final : public History {
 public:
  void pass(double wait) override { now_ += wait; }
  void add(int) override {}
  void intensities(double wait, std::vector<double>& lambda) const override {
    lambda.assign(1, 1 + swing * std::sin(frequency * (now_ + wait)));
  }
  double compensator(double wait) const override {
    return wait +
           swing / frequency * (std::cos(frequency * now_) - std::cos(frequency * (now_ + wait)));
  }
  double bound() const override { return 1 + swing; }

 private:
  static constexpr double swing = 0.9;
  static constexpr double frequency = 2 * std::numbers::pi / 10;
  double now_ = 0;
};

class Poisson final : public PointProcess {
 public:
  std::vector<double> rates() const override { return {1}; }
  std::unique_ptr<History> begin() const override { return std::make_unique<PoissonHistory>(); }
};

/// With age a since the last event and z = (log a - mu) / sigma, the intensity is
///   lambda(a) = phi(z) / (Q(z) sigma a)
class RenewalHistory final : public History {
 public:
  explicit RenewalHistory(double steepest_age) : steepest_age_(steepest_age) {}

  void pass(double wait) override { age_ += wait; }
  void add(int) override { age_ = 0; }
  void intensities(double wait, std::vector<double>& lambda) const override {
    lambda.assign(1, intensity(age_ + wait));
  }
  double compensator(double wait) const override {
    return log_survival(age_) - log_survival(age_ + wait);
  }
  /// lambda rises to its largest value and falls ever after.
  double bound() const override { return intensity(std::max(age_, steepest_age_)); }

  /// Where lambda is largest: (log lambda)' = 0, or phi(z) / Q(z) - z = sigma; the left side falls.
  static double steepest_age() {
    double low = -40, high = 40;
    for (int i = 0; i < 100; ++i) {
      const double z = (low + high) / 2;
      (normal_hazard(z) - z > sigma ? low : high) = z;
    }
    return std::exp(mu + sigma * low);
  }

 private:
  static constexpr double sigma = 0.7;
  static constexpr double mu = -sigma * sigma / 2;

  static double score(double age) { return (std::log(age) - mu) / sigma; }
  static double intensity(double age) {
    return age > 0 ? normal_hazard(score(age)) / (sigma * age) : 0;
  }
  static double log_survival(double age) { return age > 0 ? log_normal_tail(score(age)) : 0; }

  double steepest_age_;
  double age_ = 0;
};

class Renewal final : public PointProcess {
 public:
  std::vector<double> rates() const override { return {1}; }
  std::unique_ptr<History> begin() const override {
    return std::make_unique<RenewalHistory>(steepest_age_);
  }

 private:
  double steepest_age_ = RenewalHistory::steepest_age();
};

}  // namespace

std::vector<Event> draw_events(const PointProcess& process, Draws& draws, double horizon,
                               Index count) {
  const std::unique_ptr<History> history = process.begin();
  std::vector<Event> events;
  std::vector<double> lambda;
  double now = 0;
  while (std::ssize(events) < count) {
    // Candidates come at the rate of the bound; one is an event of mark k with probability lambda_k / bound.
    const double bound = history->bound();
    const double wait = -std::log(1 - draws.uniform()) / bound;
    if (now + wait > horizon) break;
    now += wait;
    history->pass(wait);
    history->intensities(0, lambda);
    double level = draws.uniform() * bound;
    for (int mark = 0; mark < std::ssize(lambda); ++mark) {
      level -= lambda[mark];
      if (level >= 0) continue;
      events.push_back({now, mark});
      history->add(mark);
      break;
    }
  }
  return events;
}

EventLoss loss_of(const History& history, double wait, int mark) {
  std::vector<double> lambda;
  history.intensities(wait, lambda);
  const double total = sum(lambda);
  return {history.compensator(wait) - std::log(total), -std::log(lambda[mark] / total)};
}

EventLoss loss_of(const PointProcess& process, const std::vector<Event>& events, double horizon) {
  const std::unique_ptr<History> history = process.begin();
  EventLoss total;
  double now = 0;
  for (const Event& event : events) {
    const EventLoss loss = loss_of(*history, event.time - now, event.mark);
    total.time += loss.time;
    total.mark += loss.mark;
    history->pass(event.time - now);
    history->add(event.mark);
    now = event.time;
  }
  total.time += history->compensator(horizon - now);
  return total;
}

Expectation expect_next(const History& history) {
  // Eight nodes on [-1, 1], symmetric about 0.
  constexpr std::array<double, 4> nodes = {0.1834346424956498, 0.5255324099163290,
                                           0.7966664774136267, 0.9602898564975363};
  constexpr std::array<double, 4> weights = {0.3626837833783620, 0.3137066458778873,
                                             0.2223810344533745, 0.1012285362903763};
  constexpr double first_width = 0.01, widening = 1.25, nothing_left = 1e-13;
  Expectation expected;
  std::vector<double> lambda;
  const auto add = [&](double wait, double weight) {
    const double survival = weight * std::exp(-history.compensator(wait));
    history.intensities(wait, lambda);
    expected.marks.resize(lambda.size(), 0);
    expected.wait += survival;
    for (std::size_t k = 0; k < lambda.size(); ++k) expected.marks[k] += survival * lambda[k];
  };
  double begin = 0;
  for (double width = first_width; std::exp(-history.compensator(begin)) > nothing_left;
       width *= widening) {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      add(begin + width / 2 * (1 - nodes[i]), width / 2 * weights[i]);
      add(begin + width / 2 * (1 + nodes[i]), width / 2 * weights[i]);
    }
    begin += width;
  }
  return expected;
}

std::unique_ptr<PointProcess> make_point_process(std::string_view name) {
  if (name == "hawkes") return make_hawkes(hawkes_law());
  if (name == "delayed") return make_hawkes(delayed_law());
  if (name == "poisson") return std::make_unique<Poisson>();
  return std::make_unique<Renewal>();
}

}  // namespace rlt
