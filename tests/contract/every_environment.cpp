// What all environments promise. `--no-skip --test-case='measured: steps*'` measures their speed.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <ctime>

#include "base/allocations.hpp"
#include "tasks/environment.hpp"

namespace {

using namespace rlt;

struct Step {
  std::vector<float> observation;  // before the action
  int action;
  float reward;
  bool ended;
  bool operator==(const Step&) const = default;
};

/// Plays many rows side by side. A row's episodes and actions depend on its number and on nothing beside it.
class Players {
 public:
  Players(Environment& environment, Index rows)
      : environment_(environment),
        rows_(rows),
        observations_(static_cast<std::size_t>(rows * environment.info().observations)),
        actions_(static_cast<std::size_t>(rows)),
        rewards_(actions_.size()),
        ended_(actions_.size(), 1) {
    environment.resize(rows);
  }

  /// One step of all; choose(row) says an action or -1 for one at random.
  template <typename Choose>
  void step(Choose&& choose) {
    const EnvironmentInfo& info = environment_.info();
    for (Index row = 0; row < rows_; ++row) {
      const Rng own = Rng(9).stream(static_cast<std::uint64_t>(row));
      const auto at = static_cast<std::size_t>(row);
      if (ended_[at] != 0) {
        const std::size_t calls = allocations();
        environment_.reset(row, own.stream(static_cast<std::uint64_t>(steps_)), shown().row(row));
        heap_calls_ += allocations() - calls;
      }
      actions_[at] = choose(row);
      if (actions_[at] < 0) {
        actions_[at] = static_cast<int>(own.stream("actions").below(steps_, info.actions));
      }
    }
    before_ = observations_;
    const std::size_t calls = allocations();
    environment_.act(actions_, shown(), rewards_, ended_);
    heap_calls_ += allocations() - calls;
    ++steps_;
  }
  void step() {
    step([](Index) { return -1; });
  }

  Index rows() const { return rows_; }
  /// Made by the environment.
  std::size_t heap_calls() const { return heap_calls_; }
  float reward(Index row) const { return rewards_[static_cast<std::size_t>(row)]; }
  bool ended(Index row) const { return ended_[static_cast<std::size_t>(row)] != 0; }
  Step latest(Index row) const {
    const Index width = environment_.info().observations;
    const auto first = before_.begin() + row * width;
    return {
        {first, first + width}, actions_[static_cast<std::size_t>(row)], reward(row), ended(row)};
  }

 private:
  Matrix<float> shown() { return {observations_.data(), rows_, environment_.info().observations}; }

  Environment& environment_;
  Index rows_;
  Index steps_ = 0;
  std::size_t heap_calls_ = 0;
  std::vector<float> observations_, before_;
  std::vector<int> actions_;
  std::vector<float> rewards_;
  std::vector<std::uint8_t> ended_;
};

/// Returns of the first `each` episodes of every row: as many of the short ones as of the long ones.
struct Returns {
  double sum = 0, squares = 0;
  Index count = 0, successes = 0, longest = 0;

  template <typename Choose>
  Returns(Environment& environment, Index rows, Index each, Choose&& choose) {
    Players players(environment, rows);
    struct Row {
      double earned = 0;
      Index length = 0, episodes = 0;
    };
    std::vector<Row> all(static_cast<std::size_t>(rows));
    for (Index unfinished = rows; unfinished > 0;) {
      players.step(choose);
      for (Index row = 0; row < rows; ++row) {
        Row& mine = all[static_cast<std::size_t>(row)];
        mine.earned += static_cast<double>(players.reward(row));
        REQUIRE(++mine.length <= environment.info().longest);
        if (!players.ended(row)) continue;
        if (mine.episodes < each) {
          add(mine.earned);
          CHECK(mine.earned <= environment.info().best_return + 1e-6);
          successes += environment.succeeded(row);
          longest = std::max(longest, mine.length);
          unfinished -= ++mine.episodes == each;
        }
        mine.earned = 0;
        mine.length = 0;
      }
    }
  }

  void add(double earned) {
    sum += earned;
    squares += earned * earned;
    ++count;
  }
  double mean() const { return sum / static_cast<double>(count); }
  double error() const {
    const double variance = squares / static_cast<double>(count) - mean() * mean();
    return std::sqrt(std::max(0.0, variance) / static_cast<double>(count));
  }
};

int at_random(Index /*row*/) { return -1; }

/// Every environment with its defaults, then with each other word that its options take.
template <typename Check>
void for_every_environment(Check&& check) {
  for (const EnvironmentEntry& entry : all_environments()) {
    INFO(entry.name);
    const std::unique_ptr<Environment> usual = entry.make({});
    check(*usual);
    for (const Option& option : usual->info().options) {
      for (const std::string& word : option.choices) {
        if (word == option.value) continue;
        INFO(option.name, "=", word);
        check(*entry.make({{option.name, word}}));
      }
    }
  }
}

}  // namespace

TEST_CASE("every environment: a row sees the same whatever rows are beside it") {
  for_every_environment([](Environment& environment) {
    std::vector<std::vector<Step>> five(5), two(2);
    for (std::vector<std::vector<Step>>* all : {&five, &two}) {
      Players players(environment, std::ssize(*all));
      for (int step = 0; step < 200; ++step) {
        players.step();
        for (Index row = 0; row < players.rows(); ++row) {
          (*all)[static_cast<std::size_t>(row)].push_back(players.latest(row));
        }
      }
    }
    CHECK(two[0] == five[0]);
    CHECK(two[1] == five[1]);
    CHECK(five[0] != five[1]);
  });
}

TEST_CASE("every environment: episodes end in time, and random actions earn what is stated") {
  for_every_environment([](Environment& environment) {
    const EnvironmentInfo& info = environment.info();
    const Returns returns(environment, 50, std::clamp<Index>(8000 / info.longest, 8, 40),
                          at_random);
    if (info.success.empty()) CHECK(returns.successes == 0);
    CHECK(info.random_return < info.best_return);
    // Five standard errors.
    CHECK(std::abs(returns.mean() - info.random_return) <
          5 * std::hypot(returns.error(), info.random_error) + 1e-6);
  });
}

TEST_CASE(
    "every environment: who takes the best action, where one is known, earns the best return") {
  for_every_environment([](Environment& environment) {
    const EnvironmentInfo& info = environment.info();
    bool known = false;
    const Returns returns(environment, 5, 4, [&](Index row) {
      const int action = environment.best_action(row);
      CHECK(action >= -1);
      CHECK(action < info.actions);
      known = known || action >= 0;
      return action;
    });
    if (!known) return;
    if (!info.success.empty()) CHECK(returns.successes == returns.count);
    if (info.name == "mystery_path") return;  // its best return is a bound
    CHECK(returns.mean() == doctest::Approx(info.best_return));
    CHECK(returns.error() < 1e-3);
  });
}

TEST_CASE("every environment: an expert, where there is one, earns far more than chance") {
  for_every_environment([](Environment& environment) {
    const EnvironmentInfo& info = environment.info();
    const Returns returns(environment, 5, 4, [&](Index row) {
      const int action = environment.expert_action(row);
      CHECK(action >= -1);
      CHECK(action < info.actions);
      return action;
    });
    if (!has_expert(info)) return;
    CHECK(returns.mean() > (info.random_return + info.best_return) / 2);
  });
}

TEST_CASE("every environment: neither a reset nor an action calls the heap") {
  for_every_environment([](Environment& environment) {
    Players players(environment, 3);
    for (int step = 0; step < 300; ++step) players.step();
    CHECK(players.heap_calls() == 0);
  });
}

TEST_CASE("measured: steps per second of every environment" * doctest::skip()) {
  for_every_environment([](Environment& environment) {
    const EnvironmentInfo& info = environment.info();
    constexpr Index rows = 8, steps = 100'000;
    environment.resize(rows);
    std::vector<float> observations(static_cast<std::size_t>(rows * info.observations));
    const Matrix<float> shown(observations.data(), rows, info.observations);
    std::vector<int> actions(1024);
    for (Index i = 0; i < std::ssize(actions); ++i) {
      actions[static_cast<std::size_t>(i)] = static_cast<int>(Rng(1).below(i, info.actions));
    }
    std::vector<float> rewards(rows);
    std::vector<std::uint8_t> ended(rows, 1);
    const std::clock_t start = std::clock();  // of this process, whatever else runs
    for (Index step = 0; step < steps; ++step) {
      for (Index row = 0; row < rows; ++row) {
        if (ended[static_cast<std::size_t>(row)] == 0) continue;
        environment.reset(row, Rng(static_cast<std::uint64_t>(step * rows + row)), shown.row(row));
      }
      const std::span<const int> all(actions);
      environment.act(all.subspan(static_cast<std::size_t>(step * rows % 1016), rows), shown,
                      rewards, ended);
    }
    const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    MESSAGE(info.name, ": ", rows * steps / seconds / 1e6, " million steps per second");
    CHECK(rows * steps / seconds > 1e6);
  });
}
