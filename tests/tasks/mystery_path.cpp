#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include "tasks/mystery_grid.hpp"
#include "tests/support/play.hpp"
#include "tests/support/slow_deck.hpp"

using namespace rlt;

namespace {

using Place = std::pair<int, int>;  // x, y

/// The path as the rules say it, with sets and maps of places.
std::vector<Place> slow_path(Draws& draws) {
  const auto random = [&](int count) { return static_cast<int>(draws.below(count)); };
  const int from = random(4), start_at = random(7), goal_at = random(7);
  const Place start = std::array{Place{0, start_at}, Place{6, start_at}, Place{start_at, 0},
                                 Place{start_at, 6}}[static_cast<std::size_t>(from)];
  const Place goal = std::array{Place{6, goal_at}, Place{0, goal_at}, Place{goal_at, 6},
                                Place{goal_at, 0}}[static_cast<std::size_t>(from)];
  std::set<Place> walls;
  for (int x = 1; x <= 4; ++x) {
    for (int y = 1; y <= 4; ++y) {
      if (random(100) < 33) walls.insert({x, y});
    }
  }
  const auto around = [](const Place& place) {
    const int x = place.first, y = place.second;
    return std::vector<Place>{{x + 1, y}, {x - 1, y}, {x, y + 1}, {x, y - 1}};
  };
  std::vector<Place> candidates;
  for (int x = 0; x < 7; ++x) {
    for (int y = 0; y < 7; ++y) {
      const Place here = {x, y};
      bool possible = x == 0 || x == 6 || y == 0 || y == 6;
      for (const Place& end : {start, goal}) {
        if (here == end) possible = false;
        for (const Place& beside : around(end)) {
          if (here == beside) possible = false;
        }
      }
      for (const Place& wall : walls) {
        if (std::abs(wall.first - x) < 2 && std::abs(wall.second - y) < 2) possible = false;
      }
      if (possible) candidates.push_back(here);
    }
  }
  const int wanted = random(2) == 0 ? 4 : 8;
  for (int i = 0; i < wanted && !candidates.empty(); ++i) {
    const auto chosen = candidates.begin() + random(static_cast<int>(candidates.size()));
    walls.insert(*chosen);
    candidates.erase(chosen);
  }

  std::vector<Place> open = {start};
  std::set<Place> closed;
  std::map<Place, int> cost = {{start, 0}};
  std::map<Place, double> rating = {{start, 0.0}};
  std::map<Place, Place> parent;
  while (!open.empty()) {
    auto next = open.begin();
    for (auto it = open.begin(); it != open.end(); ++it) {
      if (rating[*it] < rating[open.front()]) {
        next = it;
        break;
      }
    }
    const Place current = *next;
    if (current == goal) {
      std::vector<Place> path = {goal};
      while (path.front() != start) path.insert(path.begin(), parent.at(path.front()));
      return path;
    }
    open.erase(next);
    closed.insert(current);
    for (const Place& beside : around(current)) {
      const bool inside =
          std::min(beside.first, beside.second) >= 0 && std::max(beside.first, beside.second) <= 6;
      if (!inside || closed.contains(beside) || walls.contains(beside)) continue;
      const int through = cost[current] + 1 + random(8);
      const bool is_open = std::find(open.begin(), open.end(), beside) != open.end();
      if (!is_open) {
        cost[beside] = through;
        const double x = beside.first - goal.first, y = beside.second - goal.second;
        rating[beside] = through + std::sqrt(x * x + y * y);
        open.push_back(beside);
        parent[beside] = current;
      } else if (through < cost[beside]) {
        parent[beside] = current;
      }
    }
  }
  return slow_path(draws);
}

class SlowPath {
 public:
  SlowPath(float progress, const Rng& rng) : progress_(progress) {
    Draws draws(rng);
    path_ = slow_path(draws);
    new_ = {path_.begin() + 1, path_.end() - 1};
    player_ = path_.front();
  }

  std::vector<float> observe() const {
    const auto place = [](const Place& at) { return test::one_hot(7 * at.second + at.first, 49); };
    auto seen = test::joined(place(player_), test::one_hot(facing_, 4));
    seen = test::joined(seen, place(path_.back()));
    seen.push_back(fallen_ ? 1.0F : 0.0F);
    return seen;
  }

  float act(int action) {
    ++steps_;
    if (fallen_) {
      player_ = path_.front();
    } else {
      move(action);
    }
    fallen_ = std::find(path_.begin(), path_.end(), player_) == path_.end();
    if (player_ == path_.back()) return 1;
    return new_.erase(player_) == 1 ? progress_ : 0;
  }
  bool ended() const { return steps_ == 128 || player_ == path_.back(); }

 private:
  void move(int action) {
    if (action == 1) facing_ = facing_ == 0 ? 3 : facing_ - 1;
    if (action == 2) facing_ = facing_ == 3 ? 0 : facing_ + 1;
    if (action != 3) return;
    auto& [x, y] = player_;
    if (facing_ == 0) y = std::max(0, y - 1);
    if (facing_ == 1) x = std::min(6, x + 1);
    if (facing_ == 2) y = std::min(6, y + 1);
    if (facing_ == 3) x = std::max(0, x - 1);
  }

  float progress_;
  std::vector<Place> path_;
  std::set<Place> new_;
  Place player_;
  int facing_ = 0, steps_ = 0;
  bool fallen_ = false;
};

test::Episode follow(Environment& environment, const Rng& rng) {
  return test::play(environment, rng,
                    [&](const std::vector<float>&) { return environment.best_action(0); });
}

}  // namespace

TEST_CASE("mystery_path: the same episodes as an independent version of the rules") {
  for (const char* progress : {"0.1", "0", "0.7"}) {
    const auto environment = make_environment("mystery_path", {{"progress", progress}});
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
      CAPTURE(seed);
      const Rng rng(seed);
      const SlowPath slow(std::stof(progress), rng);
      test::check_same(*environment, slow, rng, test::uniform(*environment, rng.stream("actions")));
      // mostly along the path, so that the goal is met, with steps astray
      Draws astray(rng.stream("astray"));
      test::check_same(*environment, slow, rng, [&](const std::vector<float>&) {
        const int best = environment->best_action(0);
        return best < 0 || astray.chance(0.1) ? 3 : best;
      });
    }
  }
}

TEST_CASE("mystery_path: paths are as long as in the original, and go from side to side") {
  constexpr int grids = 40'000;
  std::vector<int> lengths;
  std::array<int, 4> sides{};
  double sum = 0;
  for (int i = 0; i < grids; ++i) {
    Draws draws(Rng(static_cast<std::uint64_t>(i)));
    const Tiles path = draw_path(draws);
    const Tile start = path[0], goal = path[path.size() - 1];
    std::set<int> all = {start.number()};
    for (int at = 1; at < path.size(); ++at) {
      REQUIRE(std::abs(path[at].x - path[at - 1].x) + std::abs(path[at].y - path[at - 1].y) == 1);
      REQUIRE(all.insert(path[at].number()).second);
    }
    const bool across = start.x + goal.x == 6 && std::abs(start.x - goal.x) == 6;
    const bool along = start.y + goal.y == 6 && std::abs(start.y - goal.y) == 6;
    REQUIRE((across || along));
    if (across != along) ++sides[across ? (start.x == 0 ? 0 : 1) : (start.y == 0 ? 2 : 3)];
    lengths.push_back(path.size());
    sum += path.size();
  }
  std::sort(lengths.begin(), lengths.end());
  const auto quantile = [&](double q) { return lengths[static_cast<std::size_t>(q * grids)]; };
  CHECK(lengths.front() == 7);
  // The original's longest among so many is 17; here a few are longer.
  CHECK(quantile(0.9999) <= 17);
  CHECK(lengths.back() >= 16);
  CHECK(sum / grids == doctest::Approx(10.1).epsilon(0.01));
  CHECK(quantile(0.5) == 10);
  CHECK(quantile(0.1) == 8);
  CHECK(quantile(0.9) == 12);
  // Corner to corner counts for two sides and is left out: 2 of 49 pairs.
  for (const int side : sides) CHECK(side == doctest::Approx(grids / 4.0 * 47 / 49).epsilon(0.05));
}

TEST_CASE("mystery_path: who knows the path reaches the goal and earns 1.81 in the mean") {
  const auto environment = make_environment("mystery_path", {});
  double sum = 0;
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    const test::Episode episode = follow(*environment, Rng(seed));
    REQUIRE(episode.succeeded);
    Draws draws{Rng(seed)};
    REQUIRE(episode.earned() == doctest::Approx(1 + 0.1 * (draw_path(draws).size() - 2)));
    sum += episode.earned() / 4000;
  }
  CHECK(sum == doctest::Approx(1.81).epsilon(0.01));
}

TEST_CASE("mystery_path: off the path the next action is ignored and leads back to the start") {
  const auto environment = make_environment("mystery_path", {});
  Index falls = 0;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const test::Episode episode = test::play(
        *environment, Rng(seed), test::uniform(*environment, Rng(seed).stream("actions")));
    const std::vector<float>& first = episode.observations[0];
    for (std::size_t step = 0; step + 1 < episode.observations.size(); ++step) {
      const std::vector<float>& here = episode.observations[step];
      if (here.back() == 0) continue;
      ++falls;
      const std::vector<float>& after = episode.observations[step + 1];
      CHECK(std::equal(after.begin(), after.begin() + 49, first.begin()));
      CHECK(std::equal(after.begin() + 49, after.begin() + 53, here.begin() + 49));
      CHECK(after.back() == 0);
    }
  }
  CHECK(falls > 100);
}

TEST_CASE("measured: mystery_path under uniform actions" * doctest::skip()) {
  // With progress 1, a return is the goal and the other tiles together.
  const auto environment = make_environment("mystery_path", {{"progress", "1"}});
  constexpr int episodes = 1'000'000;
  double goals = 0, tiles = 0, tile_squares = 0;
  for (int i = 0; i < episodes; ++i) {
    const Rng rng = Rng(1).stream(static_cast<std::uint64_t>(i));
    const test::Episode episode =
        test::play(*environment, rng, test::uniform(*environment, rng.stream("actions")));
    const double others = episode.earned() - (episode.succeeded ? 1 : 0);
    goals += episode.succeeded ? 1 : 0;
    tiles += others;
    tile_squares += others * others;
  }
  const double goal_rate = goals / episodes, tile_rate = tiles / episodes;
  const double goal_error = std::sqrt(goal_rate * (1 - goal_rate) / episodes);
  const double tile_error = std::sqrt((tile_squares / episodes - tile_rate * tile_rate) / episodes);
  MESSAGE("goals: ", goal_rate, " +- ", goal_error, ", tiles: ", tile_rate, " +- ", tile_error);
  CHECK(std::abs(goal_rate + tile_rate - environment->info().random_return) <=
        5 * (goal_error + tile_error));
}
