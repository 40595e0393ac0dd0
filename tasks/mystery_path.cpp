// mystery_path: find an invisible path across a grid; who leaves it begins anew and must remember where it went.
// Paper: Memory Gym (Pleines et al. 2023, arXiv 2309.17207), its Mystery Path Grid, with the reward that AGaLiTe
//   (arXiv 2310.15719) trains on.
// Tiles (x, y) of a 7 x 7 grid, y downwards. Start and goal lie on opposite sides, the path between them is
//   drawn at random and seldom the shortest (mystery_grid.hpp): 7 to 17 tiles, hardly ever more, mean 10.1.
// Observation (103): player one-hot (49, tile 7 y + x), facing one-hot (4: north, east, south, west), goal
//   one-hot (49), 1 where the player stands off the path.
// Actions: 0 nothing, 1 turn left, 2 turn right, 3 forward, not past the border. An episode begins at the start,
//   facing north. Off the path the next action is ignored: the player is put back at the start, facing as
//   before.
// Reward: 1 at the goal, which ends the episode; `progress` at the first visit of every other tile of the path
//   but the start. An episode ends after 128 actions.
// Returns: best 1 + progress (tiles - 2), 1.81 in the mean; the bound in best_return is a path through all 49.
//   Random: goals and tiles per episode of uniform actions, measured by
//   build/release/tests/rlt_tests --no-skip --test-case='measured: mystery_path*'
// departs: numbers instead of 84 x 84 pixels. The start is not marked (show_origin), since the player stands on
//   it at first.
#include <algorithm>
#include <array>

#include "base/number.hpp"
#include "tasks/environment_registry.hpp"
#include "tasks/mystery_grid.hpp"

namespace rlt {
namespace {

constexpr Index longest_episode = 128;
constexpr Index tiles = Tile::all;
// Uniform actions, per episode: goals reached, other tiles of the path seen.
constexpr double random_goals = 0.00973, random_goals_error = 0.0001;
constexpr double random_tiles = 2.5693, random_tiles_error = 0.0013;

enum Action : int { nothing, turn_left, turn_right, forward, actions_count };

// north, east, south, west
constexpr std::array<Tile, 4> directions = {{{0, -1}, {1, 0}, {0, 1}, {-1, 0}}};

class MysteryPath final : public Environment {
 public:
  explicit MysteryPath(double progress) : progress_(progress) {
    info_ = {
        .name = "mystery_path",
        .summary = "find an invisible path across a grid, from the start again after a false step",
        .source = "Pleines et al. 2023, arXiv 2309.17207",
        .observations = 2 * tiles + std::ssize(directions) + 1,
        .actions = actions_count,
        .longest = longest_episode,
        .best_return = 1 + progress * (tiles - 2),
        .random_return = random_goals + progress * random_tiles,
        .random_error = random_goals_error + progress * random_tiles_error,
        .success = "the goal was reached",
        .options = options()};
  }

  static std::vector<Option> options() {
    return {{.name = "progress",
             .value = "0.1",
             .help = "reward for a new tile of the path",
             .choices = {},
             .low = 0,
             .high = 1}};
  }

  const EnvironmentInfo& info() const override { return info_; }

  void resize(Index rows) override { episodes_.assign(static_cast<std::size_t>(rows), {}); }

  void reset(Index row, const Rng& episode, float* observation) override {
    Episode& fresh = episodes_[static_cast<std::size_t>(row)];
    fresh = {};
    Draws draws(episode);
    fresh.path = draw_path(draws);
    fresh.place.fill(Episode::off_path);
    for (int i = 0; i < fresh.path.size(); ++i) fresh.place_of(fresh.path[i]) = i;
    fresh.player = fresh.path[0];
    fresh.visited[0] = true;
    show(fresh, observation);
  }

  void act(std::span<const int> actions, Matrix<float> observations, std::span<float> rewards,
           std::span<std::uint8_t> ended) override {
    for (std::size_t row = 0; row < episodes_.size(); ++row) {
      Episode& episode = episodes_[row];
      episode.move(actions[row]);
      const int place = episode.place_of(episode.player);
      rewards[row] = 0;
      if (place != Episode::off_path) {
        bool& visited = episode.visited[static_cast<std::size_t>(place)];
        if (!visited) rewards[row] = episode.at_goal() ? 1 : static_cast<float>(progress_);
        visited = true;
      }
      ended[row] = ++episode.step == info_.longest || episode.at_goal() ? 1 : 0;
      show(episode, observations.row(static_cast<Index>(row)));
    }
  }

  /// Along the path.
  int best_action(Index row) const override {
    const Episode& episode = episodes_[static_cast<std::size_t>(row)];
    const int place = episode.place_of(episode.player);
    if (place == Episode::off_path) return -1;
    const Tile next = episode.path[place + 1];
    const Tile wanted = {next.x - episode.player.x, next.y - episode.player.y};
    const auto direction = std::ranges::find(directions, wanted) - directions.begin();
    const auto turns = (direction - episode.facing + 4) % 4;
    return turns == 0 ? forward : turns == 3 ? turn_left : turn_right;
  }

  bool succeeded(Index row) const override {
    return episodes_[static_cast<std::size_t>(row)].at_goal();
  }

 private:
  struct Episode {
    static constexpr int off_path = -1;
    Tiles path;
    std::array<int, Tile::all> place{};     // of each tile on the path
    std::array<bool, Tile::all> visited{};  // places of the path
    Tile player{};
    int facing = 0;  // index of directions
    Index step = 0;

    int& place_of(Tile tile) { return place[static_cast<std::size_t>(tile.number())]; }
    int place_of(Tile tile) const { return place[static_cast<std::size_t>(tile.number())]; }
    bool at_goal() const { return place_of(player) == path.size() - 1; }

    void move(int action) {
      if (place_of(player) == off_path) {
        player = path[0];
      } else if (action == forward) {
        const Tile way = directions[static_cast<std::size_t>(facing)];
        const Tile next = {player.x + way.x, player.y + way.y};
        if (next.inside()) player = next;
      } else if (action != nothing) {
        facing = (facing + (action == turn_right ? 1 : 3)) % 4;
      }
    }
  };

  void show(const Episode& episode, float* observation) const {
    std::fill_n(observation, info_.observations, 0.0F);
    observation[episode.player.number()] = 1;
    observation[tiles + episode.facing] = 1;
    const Tile goal = episode.path[episode.path.size() - 1];
    observation[tiles + 4 + goal.number()] = 1;
    const bool off = episode.place_of(episode.player) == Episode::off_path;
    observation[2 * tiles + 4] = off ? 1 : 0;
  }

  double progress_;
  EnvironmentInfo info_;
  std::vector<Episode> episodes_;
};

}  // namespace

std::unique_ptr<Environment> make_mystery_path(const OptionValues& options) {
  const OptionValues complete =
      complete_options("task-option", "mystery_path", MysteryPath::options(), options);
  return std::make_unique<MysteryPath>(*parse_number<double>(complete.at("progress")));
}

}  // namespace rlt
