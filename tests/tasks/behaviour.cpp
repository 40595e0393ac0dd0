#include "tasks/behaviour.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "support/message.hpp"

using namespace rlt;

namespace {

std::unique_ptr<Environment> cartpole(const std::string& noise = "0") {
  return make_environment("cartpole_po", {{"noise", noise}});
}

double mean_return(const std::vector<Trajectory>& recorded, std::size_t first, std::size_t end) {
  double sum = 0;
  for (std::size_t i = first; i < end; ++i) sum += recorded[i].earned();
  return sum / static_cast<double>(end - first);
}

double mean_return(Environment& environment, std::string_view behaviour, Index count) {
  const std::vector<Trajectory> recorded = record(environment, behaviour, count, 5);
  return mean_return(recorded, 0, recorded.size());
}

}  // namespace

TEST_CASE(
    "behaviour: the expert of cartpole_po stands to the limit, and mostly through some noise") {
  const auto environment = cartpole();
  for (const Trajectory& trajectory : record(*environment, "expert", 300, 5)) {
    CHECK(trajectory.steps() == 200);
    CHECK(trajectory.earned() == doctest::Approx(1));
  }
  // 0.969 in 2000 episodes, of deviation 0.1: five standard errors of 400.
  CHECK(mean_return(*cartpole("0.1"), "expert", 400) == doctest::Approx(0.969).epsilon(0.026));
}

// The rate of medium comes from 200 other episodes; returns deviate by 0.3, so that two such means lie
// 0.03 apart, a tenth at most.
TEST_CASE("behaviour: mixtures earn what their names say") {
  const auto environment = cartpole();
  const double random = environment->info().random_return, medium = (1 + random) / 2;
  CHECK(mean_return(*environment, "random", 1000) == doctest::Approx(random).epsilon(0.08));
  CHECK(std::abs(mean_return(*environment, "medium", 400) - medium) < 0.1);
  CHECK(std::abs(mean_return(*environment, "medium_expert", 400) - (1 + medium) / 2) < 0.07);
  const std::vector<Trajectory> replay = record(*environment, "replay", 400, 5);
  const double early = mean_return(replay, 0, 200), late = mean_return(replay, 200, 400);
  CHECK(early < 0.2);
  CHECK(late > early + 0.1);
  CHECK(late < medium);
  CHECK(std::abs(mean_return(replay, 340, 400) - medium) < 0.2);
}

TEST_CASE("behaviour: medium_expert is medium and expert in turn") {
  const auto environment = cartpole();
  const std::vector<Trajectory> mixed = record(*environment, "medium_expert", 20, 5);
  const std::vector<Trajectory> medium = record(*environment, "medium", 20, 5);
  const std::vector<Trajectory> expert = record(*environment, "expert", 20, 5);
  for (std::size_t i = 0; i < mixed.size(); ++i) {
    CHECK(mixed[i].actions == (i % 2 == 0 ? medium[i] : expert[i]).actions);
  }
}

TEST_CASE("behaviour: episodes depend on the seed and their number alone, and are named by it") {
  const auto environment = cartpole("0.2");
  const std::vector<Trajectory> five = record(*environment, "medium", 5, 3);
  const std::vector<Trajectory> two = record(*cartpole("0.2"), "medium", 2, 3);
  CHECK(five[4].episode == "4");
  for (std::size_t i = 0; i < two.size(); ++i) {
    CHECK(two[i].observations == five[i].observations);
    CHECK(two[i].actions == five[i].actions);
  }
  CHECK(record(*environment, "medium", 1, 4)[0].actions != five[0].actions);
}

TEST_CASE("behaviour: what is recorded is what the environment shows and pays for these actions") {
  const auto environment = make_environment("tmaze", {});
  const Rng rng(8);
  const Trajectory trajectory = play_behaviour(*environment, rng, 0.4);
  const Index seen = environment->info().observations;
  std::vector<float> observation(static_cast<std::size_t>(seen));
  environment->reset(0, rng, observation.data());
  float reward = 0;
  std::uint8_t ended = 0;
  for (Index step = 0; step < trajectory.steps(); ++step) {
    REQUIRE(ended == 0);
    const auto at = static_cast<std::size_t>(step);
    const auto first = trajectory.observations.begin() + step * seen;
    CHECK(std::vector<float>(first, first + seen) == observation);
    environment->act({&trajectory.actions[at], 1}, {observation.data(), 1, seen}, {&reward, 1},
                     {&ended, 1});
    CHECK(trajectory.rewards[at] == reward);
  }
  CHECK(ended == 1);
}

TEST_CASE("behaviour: where the best action is known its taker is the expert") {
  const auto environment = make_environment("tmaze", {});
  CHECK(mean_return(*environment, "expert", 20) ==
        doctest::Approx(environment->info().best_return));
  CHECK(test::error_of([] { record(*make_environment("concentration", {}), "replay", 1, 1); }) ==
        "2: --policy replay: no expert is known in concentration, which has random alone");
}
