#include <doctest/doctest.h>

#include <array>
#include <cmath>

#include "base/error.hpp"
#include "tests/support/play.hpp"

using namespace rlt;

namespace {

struct Setting {
  int corridor = 10;
  std::string encoding = "gray";
  int distractors = 6;
  int limit = 1000;

  std::unique_ptr<Environment> make() const {
    return make_environment("tmaze", {{"corridor", std::to_string(corridor)},
                                      {"encoding", encoding},
                                      {"distractors", std::to_string(distractors)},
                                      {"limit", std::to_string(limit)}});
  }
};

/// The Gray code by its definition: of 2n places, the second n are those of the first n in reverse, with the
/// highest bit set.
std::vector<float> slow_gray(int place, int bits) {
  if (bits == 0) return {};
  const int half = 1 << (bits - 1);
  std::vector<float> rest = slow_gray(place < half ? place : 2 * half - 1 - place, bits - 1);
  rest.insert(rest.begin(), place < half ? 0.0F : 1.0F);
  return rest;
}

class SlowMaze {
 public:
  SlowMaze(const Setting& setting, const Rng& rng)
      : setting_(setting), rng_(rng), cue_up_(rng.below(0, 2) == 0) {}

  std::vector<float> observe() const {
    const bool junction = place_ == setting_.corridor - 1;
    std::vector<float> seen;
    if (setting_.encoding == "gray") {
      seen = {0, 0};
      if (steps_ == 0) seen = cue_up_ ? std::vector<float>{0, 1} : std::vector<float>{1, 0};
      for (const float bit : slow_gray(place_, 8)) seen.push_back(bit);
    } else if (steps_ == 0) {
      seen = cue_up_ ? std::vector<float>{0, 1, 1} : std::vector<float>{1, 1, 0};
    } else {
      seen = junction ? std::vector<float>{0, 1, 0} : std::vector<float>{1, 0, 1};
    }
    for (int i = 0; i < setting_.distractors; ++i) {
      seen.push_back(steps_ > 0 && (rng_.bits(steps_) >> i) % 2 == 1 ? 1.0F : 0.0F);
    }
    return seen;
  }

  float act(int action) {
    ++steps_;
    if (steps_ == setting_.limit) ended_ = true;
    const bool up = action == 0, down = action == 1, left = action == 2, right = action == 3;
    if (place_ == setting_.corridor - 1) {
      if (!up && !down) return -0.1F;
      ended_ = true;
      return up == cue_up_ ? 4.0F : -1.0F;
    }
    if (right) ++place_;
    if (left && place_ > 0) --place_;
    return -0.1F;
  }
  bool ended() const { return ended_; }

 private:
  Setting setting_;
  Rng rng_;
  bool cue_up_;
  int place_ = 0;
  int steps_ = 0;
  bool ended_ = false;
};

/// Walks to the junction, then takes `turn`: 0 up, 1 down.
auto walker(const Setting& setting, int turn) {
  return [step = 0, setting, turn](const std::vector<float>&) mutable {
    return ++step < setting.corridor ? 3 : turn;
  };
}

/// By the first observation.
int cue(const test::Episode& episode) { return episode.observations[0][1] == 1 ? 0 : 1; }

}  // namespace

TEST_CASE("tmaze: the same episodes as an independent version of the rules") {
  for (const Setting& setting : {Setting{},
                                 {.corridor = 2},
                                 {.corridor = 5, .distractors = 16, .limit = 60},
                                 {.corridor = 3, .encoding = "bakker", .distractors = 0},
                                 {.corridor = 7, .encoding = "bakker", .limit = 7}}) {
    const auto maze = setting.make();
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
      CAPTURE(seed);
      test::check_same(*maze, SlowMaze(setting, Rng(seed)), Rng(seed),
                       test::uniform(*maze, Rng(seed).stream("actions")));
    }
  }
  // all places of the longest corridor
  const Setting longest = {.corridor = 256};
  const auto maze = longest.make();
  test::check_same(*maze, SlowMaze(longest, Rng(1)), Rng(1), walker(longest, 0));
}

TEST_CASE("tmaze: returns of the right, the wrong and a random turn, with discount 0.99 too") {
  // Corridor; right, wrong; right, coin, wrong with discount: to the digits shown.
  const std::vector<std::array<double, 6>> table = {
      {10, 3.1, -1.9, 2.79, 0.51, -1.78},       {20, 2.1, -2.9, 1.57, -0.50, -2.56},
      {40, 0.1, -4.9, -0.54, -2.23, -3.92},     {60, -1.9, -6.9, -2.26, -3.64, -5.03},
      {100, -5.9, -10.9, -4.82, -5.75, -6.67},  {120, -7.9, -12.9, -5.77, -6.52, -7.28},
      {140, -9.9, -14.9, -6.54, -7.16, -7.77},  {160, -11.9, -16.9, -7.17, -7.67, -8.18},
      {180, -13.9, -18.9, -7.68, -8.10, -8.51}, {200, -15.9, -20.9, -8.11, -8.44, -8.78}};
  for (const auto& row : table) {
    const Setting setting = {.corridor = static_cast<int>(row[0])};
    CAPTURE(setting.corridor);
    const auto maze = setting.make();
    CHECK(maze->info().best_return == doctest::Approx(row[1]));
    double discounted = 0;
    for (const int turn : {0, 1}) {
      const test::Episode episode = test::play(*maze, Rng(5), walker(setting, turn));
      const bool right = turn == cue(episode);
      CHECK(episode.succeeded == right);
      CHECK(episode.length() == setting.corridor);
      CHECK(episode.earned() == doctest::Approx(row[right ? 1 : 2]));
      CHECK(std::abs(episode.earned(0.99) - row[right ? 3 : 5]) < 0.00501);
      discounted += episode.earned(0.99) / 2;
    }
    CHECK(std::abs(discounted - row[4]) < 0.00501);
  }
}

TEST_CASE("tmaze: who never turns earns -100 in 1000 actions, -10 with discount 0.99") {
  const auto maze = Setting{}.make();
  for (const int action : {0, 2, 3}) {
    const test::Episode episode =
        test::play(*maze, Rng(2), [&](const std::vector<float>&) { return action; });
    CHECK(episode.length() == 1000);
    CHECK(episode.earned() == doctest::Approx(-100));
    CHECK(episode.earned(0.99) == doctest::Approx(-10).epsilon(1e-3));
    CHECK_FALSE(episode.succeeded);
  }
}

TEST_CASE("tmaze: the cue is a fair coin and shown once, distractors are fair coins after that") {
  const auto maze = Setting{}.make();
  constexpr int episodes = 400;
  double ups = 0, ones = 0, pairs = 0, coins = 0;
  for (int i = 0; i < episodes; ++i) {
    const Rng rng(static_cast<std::uint64_t>(i));
    // back and forth at the near end, which looks like the start but for the cue
    const test::Episode episode = test::play(
        *maze, rng, [step = 0](const std::vector<float>&) mutable { return step++ < 50 ? 2 : 3; });
    ups += 1 - cue(episode);
    CHECK(episode.observations[0][0] + episode.observations[0][1] == 1);
    for (std::size_t step = 0; step < 100; ++step) {
      const std::vector<float>& seen = episode.observations[step];
      if (step == 0) {
        for (std::size_t d = 10; d < 16; ++d) REQUIRE(seen[d] == 0);
        continue;
      }
      REQUIRE(seen[0] + seen[1] == 0);
      for (std::size_t d = 10; d < 16; ++d) {
        ones += static_cast<double>(seen[d]);
        pairs += seen[d] == episode.observations[step + 1][d] ? 1 : 0;
        ++coins;
      }
    }
  }
  // five standard deviations of so many fair coins
  CHECK(std::abs(ups - episodes / 2.0) < 5 * std::sqrt(episodes / 4.0));
  CHECK(std::abs(ones - coins / 2) < 5 * std::sqrt(coins / 4));
  CHECK(std::abs(pairs - coins / 2) < 5 * std::sqrt(coins / 4));
}

TEST_CASE("tmaze: uniform actions reach the junction in 1000 actions as seldom as the chain says") {
  // Corridor and probability, two digits.
  for (const auto& known : {std::pair{40U, 0.15}, {60U, 1.6e-2}, {100U, 1.7e-5}, {120U, 1.8e-7}}) {
    CAPTURE(known.first);
    std::vector<double> at(known.first, 0.0);
    at[0] = 1;
    for (int action = 0; action < 1000; ++action) {
      std::vector<double> next = at;
      for (std::size_t place = 0; place + 1 < at.size(); ++place) {
        next[place + 1] += at[place] / 4;
        next[place] -= at[place] / 4;
        if (place == 0) continue;
        next[place - 1] += at[place] / 4;
        next[place] -= at[place] / 4;
      }
      at = next;
    }
    CHECK(at.back() == doctest::Approx(known.second).epsilon(0.05));
  }
}

TEST_CASE("tmaze: the stated return of uniform actions is that of the value recursion") {
  for (const Setting& setting : {Setting{}, {.corridor = 2, .limit = 2}, {.corridor = 40}}) {
    CAPTURE(setting.corridor);
    const std::size_t junction = static_cast<std::size_t>(setting.corridor) - 1;
    // what is still to come, by place, with so many actions left
    std::vector<double> value(junction + 1, 0.0);
    for (int left = 1; left <= setting.limit; ++left) {
      std::vector<double> longer(junction + 1);
      for (std::size_t place = 0; place < junction; ++place) {
        const double back = value[place == 0 ? 0 : place - 1];
        longer[place] = -0.1 + (2 * value[place] + back + value[place + 1]) / 4;
      }
      longer[junction] = (4 - 1 + 2 * (-0.1 + value[junction])) / 4;
      value = longer;
    }
    CHECK(setting.make()->info().random_return == doctest::Approx(value[0]));
  }
}

TEST_CASE("tmaze: a corridor that nobody can finish is refused") {
  CHECK_THROWS_AS((Setting{.corridor = 30, .limit = 29}.make()), Error);
  CHECK_NOTHROW((Setting{.corridor = 30, .limit = 30}.make()));
}
