#include "tasks/point_process.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <string>

#include "tasks/hawkes.hpp"

using namespace rlt;

namespace {

const std::vector<std::string> names = {"hawkes", "delayed", "poisson", "renewal"};

Draws draws_of(const std::string& name) { return Draws(Rng(5).stream("test").stream(name)); }

/// lambda_k from the definition: a sum over all events before `time`.
class SlowIntensity {
 public:
  explicit SlowIntensity(const std::string& name)
      : name_(name), law_(name == "delayed" ? delayed_law() : hawkes_law()) {}

  std::vector<double> operator()(const std::vector<Event>& events, double time) const {
    if (name_ == "poisson") return {1 + 0.9 * std::sin(2 * std::numbers::pi * time / 10)};
    if (name_ == "renewal") return {gap_hazard(time - (events.empty() ? 0 : events.back().time))};
    std::vector<double> lambda = law_.base;
    for (const Event& event : events) {
      if (event.time >= time) continue;
      const double age = time - event.time, beta = law_.decay[event.mark];
      const double kernel = name_ == "hawkes"
                                ? beta * std::exp(-beta * age)
                                : std::pow(beta, 4) * std::pow(age, 3) * std::exp(-beta * age) / 6;
      for (std::size_t i = 0; i < lambda.size(); ++i) {
        lambda[i] += law_.branching[i][event.mark] * kernel;
      }
    }
    return lambda;
  }
  double total(const std::vector<Event>& events, double time) const {
    const std::vector<double> lambda = (*this)(events, time);
    return std::accumulate(lambda.begin(), lambda.end(), 0.0);
  }

 private:
  static double gap_hazard(double age) {
    if (age <= 0) return 0;
    const double z = (std::log(age) + 0.7 * 0.7 / 2) / 0.7;
    const double density = std::exp(-z * z / 2) / (std::sqrt(2 * std::numbers::pi) * 0.7 * age);
    return density / (std::erfc(z / std::numbers::sqrt2) / 2);
  }

  std::string name_;
  HawkesLaw law_;
};

/// Simpson's rule with `cells` (even) cells.
template <typename Function>
double integral(double from, double to, int cells, const Function& function) {
  const double width = (to - from) / cells;
  double sum = 0;
  for (int i = 0; i <= cells; ++i) {
    const double weight = i == 0 || i == cells ? 1 : i % 2 == 1 ? 4 : 2;
    // The intensity jumps at events: both ends belong to the open interval.
    const double inside = std::clamp(from + i * width, std::nextafter(from, to), to);
    sum += weight * function(inside);
  }
  return sum * width / 3;
}

}  // namespace

TEST_CASE("point process: the rates solve the stationary equation, and draws keep them") {
  for (const std::string& name : names) {
    CAPTURE(name);
    const auto process = make_point_process(name);
    const std::vector<double> rates = process->rates();
    if (name == "hawkes" || name == "delayed") {
      const HawkesLaw law = name == "hawkes" ? hawkes_law() : delayed_law();
      for (std::size_t i = 0; i < rates.size(); ++i) {  // (I - B) rates = base
        double left = rates[i];
        for (std::size_t j = 0; j < rates.size(); ++j) left -= law.branching[i][j] * rates[j];
        CHECK(left == doctest::Approx(law.base[i]).epsilon(1e-12));
      }
    }
    constexpr double horizon = 20'000;
    Draws draws = draws_of(name);
    std::vector<double> counts(rates.size(), 0);
    for (const Event& event : draw_events(*process, draws, horizon)) ++counts[event.mark];
    // A count of n events spreads by sqrt(n) / (1 - 0.7) at most or so: 3 % of 13,000 events of one mark.
    for (std::size_t k = 0; k < rates.size(); ++k) {
      CHECK(counts[k] / horizon == doctest::Approx(rates[k]).epsilon(0.1));
    }
  }
}

TEST_CASE(
    "point process: draws end at the horizon or with the count, and depend on the draws alone") {
  for (const std::string& name : names) {
    CAPTURE(name);
    const auto process = make_point_process(name);
    Draws draws = draws_of(name), again = draws_of(name), longer = draws_of(name);
    const std::vector<Event> events = draw_events(*process, draws, 50);
    const std::vector<Event> first = draw_events(*process, again, 1e9, 7);
    REQUIRE(events.size() > 7);
    REQUIRE(first.size() == 7);
    CHECK(events.back().time <= 50);
    CHECK(draw_events(*process, longer, 100).size() > events.size());
    for (std::size_t i = 0; i < events.size(); ++i) {
      CHECK(events[i].time > (i == 0 ? 0 : events[i - 1].time));
      CHECK((events[i].mark >= 0 && events[i].mark < std::ssize(process->rates())));
      if (i < 7) CHECK(first[i].time == events[i].time);
    }
  }
}

TEST_CASE("point process: integrated intensities between events are Exp(1)") {
  for (const std::string& name : names) {
    CAPTURE(name);
    const auto process = make_point_process(name);
    std::vector<double> levels;
    for (std::uint64_t sequence = 0; sequence < 10; ++sequence) {
      Draws draws(Rng(5).stream("rescaling").stream(name).stream(sequence));
      const auto history = process->begin();
      double now = 0;
      for (const Event& event : draw_events(*process, draws, 1e9, 6000)) {
        levels.push_back(-std::expm1(-history->compensator(event.time - now)));  // uniform
        history->pass(event.time - now);
        history->add(event.mark);
        now = event.time;
      }
    }
    std::ranges::sort(levels);
    const auto n = static_cast<double>(levels.size());
    double distance = 0;
    for (std::size_t i = 0; i < levels.size(); ++i) {
      const auto rank = static_cast<double>(i);
      distance = std::max({distance, levels[i] - rank / n, (rank + 1) / n - levels[i]});
    }
    // Kolmogorov and Smirnov: above 2.23 once in 10^4; a distance of 0.009 is seen.
    CHECK(distance * std::sqrt(n) < 2.23);
  }
}

TEST_CASE("point process: marks come as often as their intensities say") {
  for (const std::string name : {"hawkes", "delayed"}) {
    CAPTURE(name);
    const auto process = make_point_process(name);
    Draws draws = draws_of(name);
    const auto history = process->begin();
    std::vector<double> expected(5, 0), counts(5, 0), lambda;
    double now = 0;
    for (const Event& event : draw_events(*process, draws, 1e9, 60000)) {
      history->intensities(event.time - now, lambda);
      const double total = std::accumulate(lambda.begin(), lambda.end(), 0.0);
      for (int k = 0; k < 5; ++k) expected[k] += lambda[k] / total;
      ++counts[event.mark];
      history->pass(event.time - now);
      history->add(event.mark);
      now = event.time;
    }
    // The differences are martingales of variance below the count: four standard deviations.
    for (int k = 0; k < 5; ++k) {
      CHECK(std::abs(counts[k] - expected[k]) < 4 * std::sqrt(expected[k]));
    }
  }
}

TEST_CASE(
    "point process: intensities, compensators and the likelihood are those of the slow formula") {
  for (const std::string& name : names) {
    CAPTURE(name);
    const auto process = make_point_process(name);
    const SlowIntensity slow(name);
    Draws draws = draws_of(name);
    constexpr double horizon = 25;
    const std::vector<Event> events = draw_events(*process, draws, horizon);
    const auto history = process->begin();
    std::vector<Event> past;
    std::vector<double> lambda;
    double now = 0, time_loss = 0, mark_loss = 0;
    for (std::size_t i = 0; i <= events.size(); ++i) {
      const bool is_end = i == events.size();
      const double next = is_end ? horizon : events[i].time;
      const double area =
          integral(now, next, 400, [&](double time) { return slow.total(past, time); });
      CHECK(history->compensator(next - now) == doctest::Approx(area).epsilon(1e-7));
      time_loss += area;
      if (is_end) break;
      const std::vector<double> expected = slow(past, next);
      history->intensities(next - now, lambda);
      REQUIRE(lambda.size() == expected.size());
      for (std::size_t k = 0; k < lambda.size(); ++k) {
        CHECK(lambda[k] == doctest::Approx(expected[k]).epsilon(1e-10));
      }
      const double total = slow.total(past, next);
      time_loss -= std::log(total);
      mark_loss -= std::log(expected[events[i].mark] / total);
      history->pass(next - now);
      history->add(events[i].mark);
      past.push_back(events[i]);
      now = next;
    }
    const EventLoss loss = loss_of(*process, events, horizon);
    CHECK(loss.time == doctest::Approx(time_loss).epsilon(1e-7));
    CHECK(loss.mark == doctest::Approx(mark_loss).epsilon(1e-10));
  }
}

TEST_CASE(
    "point process: no intensity is above its bound, and passing in two parts is passing once") {
  for (const std::string& name : names) {
    CAPTURE(name);
    const auto process = make_point_process(name);
    Draws draws = draws_of(name);
    const auto history = process->begin();
    std::vector<double> lambda, later;
    double now = 0;
    for (const Event& event : draw_events(*process, draws, 1e9, 300)) {
      const double bound = history->bound();
      for (double wait = 1e-4; wait < 100; wait *= 1.1) {
        history->intensities(wait, lambda);
        REQUIRE(std::accumulate(lambda.begin(), lambda.end(), 0.0) <= bound * (1 + 1e-12));
      }
      const double wait = event.time - now;
      history->intensities(wait, lambda);
      const double whole = history->compensator(wait);
      const double part = history->compensator(wait / 3);
      history->pass(wait / 3);
      CHECK(part + history->compensator(wait - wait / 3) == doctest::Approx(whole).epsilon(1e-9));
      history->pass(wait - wait / 3);
      history->intensities(0, later);
      for (std::size_t k = 0; k < lambda.size(); ++k) {
        CHECK(later[k] == doctest::Approx(lambda[k]).epsilon(1e-9));
      }
      history->add(event.mark);
      now = event.time;
    }
  }
}

TEST_CASE("point process: what is expected next, against a fine sum over the density of the wait") {
  for (const std::string& name : names) {
    CAPTURE(name);
    const auto process = make_point_process(name);
    Draws draws = draws_of(name);
    const auto history = process->begin();
    std::vector<double> lambda;
    double now = 0;
    int events = 0;
    for (const Event& event : draw_events(*process, draws, 1e9, 12)) {
      history->pass(event.time - now);
      history->add(event.mark);
      now = event.time;
      if (++events % 4 != 0) continue;
      const Expectation expected = expect_next(*history);
      // E[wait] = integral of wait lambda S, and not of S: over x = log wait
      const std::size_t marks = process->rates().size();
      double mean = 0;
      std::vector<double> probabilities(marks, 0);
      constexpr double low = -25, high = 7, width = 0.0025;
      for (double x = low + width / 2; x < high; x += width) {
        const double wait = std::exp(x);
        const double survival = std::exp(-history->compensator(wait)) * wait * width;
        history->intensities(wait, lambda);
        for (std::size_t k = 0; k < marks; ++k) {
          mean += wait * lambda[k] * survival;
          probabilities[k] += lambda[k] * survival;
        }
      }
      CHECK(expected.wait == doctest::Approx(mean).epsilon(1e-6));
      for (std::size_t k = 0; k < marks; ++k) {
        CHECK(expected.marks[k] == doctest::Approx(probabilities[k]).epsilon(1e-6));
      }
      const double all = std::accumulate(expected.marks.begin(), expected.marks.end(), 0.0);
      CHECK(all == doctest::Approx(1).epsilon(1e-6));
      if (name == "renewal") CHECK(expected.wait == doctest::Approx(1).epsilon(1e-6));
    }
  }
}
