// What all environments promise.
#include <doctest/doctest.h>

#include <cmath>

#include "tasks/environment.hpp"

namespace {

using namespace rlt;

struct Seen {
  std::vector<float> observations, rewards;
  std::vector<std::uint8_t> ended;
  bool operator==(const Seen&) const = default;
};

/// Plays `rows` rows for `count` steps with random actions; a row's episodes and actions depend on its number.
std::vector<Seen> play(Environment& environment, Index rows, Index count) {
  const EnvironmentInfo& info = environment.info();
  environment.resize(rows);
  std::vector<Seen> seen(static_cast<std::size_t>(rows));
  std::vector<float> observations(static_cast<std::size_t>(rows * info.observations));
  const Matrix<float> shown(observations.data(), rows, info.observations);
  std::vector<int> actions(static_cast<std::size_t>(rows));
  std::vector<float> rewards(actions.size());
  std::vector<std::uint8_t> ended(actions.size(), 1);
  for (Index step = 0; step < count; ++step) {
    for (Index row = 0; row < rows; ++row) {
      const Rng own = Rng(9).stream(static_cast<std::uint64_t>(row));
      const auto at = static_cast<std::size_t>(row);
      if (ended[at] != 0) {
        environment.reset(row, own.stream(static_cast<std::uint64_t>(step)), shown.row(row));
      }
      Seen& mine = seen[at];
      mine.observations.insert(mine.observations.end(), shown.row(row),
                               shown.row(row) + info.observations);
      actions[at] = static_cast<int>(own.stream("actions").below(step, info.actions));
    }
    environment.act(actions, shown, rewards, ended);
    for (std::size_t row = 0; row < actions.size(); ++row) {
      seen[row].rewards.push_back(rewards[row]);
      seen[row].ended.push_back(ended[row]);
    }
  }
  return seen;
}

}  // namespace

TEST_CASE("every environment: a row sees the same whatever rows are beside it") {
  for (const EnvironmentEntry& entry : all_environments()) {
    INFO(entry.name);
    const std::unique_ptr<Environment> environment = entry.make({});
    const std::vector<Seen> five = play(*environment, 5, 200);
    const std::vector<Seen> two = play(*environment, 2, 200);
    CHECK(two[0] == five[0]);
    CHECK(two[1] == five[1]);
    CHECK(five[0] != five[1]);
  }
}

TEST_CASE("every environment: episodes end in time, and random actions earn what is stated") {
  for (const EnvironmentEntry& entry : all_environments()) {
    INFO(entry.name);
    const std::unique_ptr<Environment> environment = entry.make({});
    const EnvironmentInfo& info = environment->info();
    double sum = 0;
    double squares = 0;
    Index episodes = 0;
    for (const Seen& seen : play(*environment, 50, 40 * info.longest)) {
      double earned = 0;
      Index length = 0;
      for (std::size_t step = 0; step < seen.ended.size(); ++step) {
        earned += static_cast<double>(seen.rewards[step]);
        REQUIRE(++length <= info.longest);
        if (seen.ended[step] == 0) continue;
        CHECK(earned <= info.best_return + 1e-6);
        sum += earned;
        squares += earned * earned;
        ++episodes;
        earned = 0;
        length = 0;
      }
    }
    const double mean = sum / static_cast<double>(episodes);
    const double variance = squares / static_cast<double>(episodes) - mean * mean;
    // Five standard errors.
    CHECK(std::abs(mean - info.random_return) <
          5 * std::sqrt(variance / static_cast<double>(episodes)) + 1e-9);
  }
}
