// tmaze: walk to the end of a corridor and turn to the side that the first observation alone has told.
// Paper: AGaLiTe (arXiv 2310.15719), after Bakker 2001 (NeurIPS 14).
// Places 0..N-1 (N = `corridor`), the junction is N-1; the cue is up or down, a fair coin.
// Observation: encoding gray: cue bits, (0,1) up and (1,0) down in the first observation, (0,0) later, then
//   eight bits of the Gray code p xor p/2 of the place, the highest first; bakker: 011 up and 110 down in the
//   first observation, later 101 in the corridor and 010 at the junction. Then the distractors: zero at
//   first, fair coins later.
// Actions: 0 up, 1 down, 2 left, 3 right. Left and right move by one place, except past the near end and at
//   the junction; up and down at the junction end the episode, elsewhere they do nothing.
// Reward: 4 for the turn to the cue, -1 for the other, -0.1 for every other action. An episode also ends,
//   for good, after `limit` actions.
// Returns: best 4 - 0.1 (N-1), without memory 2.5 less. Random: with P_t(p) the probability that uniform actions are at place p, the
//   episode still going on, before action t (moves: left 1/4, right 1/4, else stay; the junction: stay 1/2),
//     sum over t of  P_t(N-1) (1/4 4 - 1/4 1 - 1/2 0.1) - 0.1 sum_{p < N-1} P_t(p)
// departs: the original has 5000 actions with Bakker's encoding; here `limit` is 1000 for both.
#include <algorithm>

#include "base/error.hpp"
#include "tasks/environment_registry.hpp"

namespace rlt {
namespace {

enum Action : int { up, down, left, right, actions_count };

constexpr float right_turn = 4, wrong_turn = -1, walk = -0.1F;
constexpr Index gray_bits = 8;

struct Maze {
  Index corridor;
  bool gray;
  Index distractors;
  Index limit;

  Index code() const { return gray ? 2 + gray_bits : 3; }
  Index junction() const { return corridor - 1; }
};

double random_return(const Maze& maze) {
  const auto junction = static_cast<std::size_t>(maze.junction());
  std::vector<double> at(junction + 1, 0.0), next(junction + 1);
  at[0] = 1;
  double sum = 0;
  for (Index step = 0; step < maze.limit; ++step) {
    std::ranges::fill(next, 0.0);
    for (std::size_t place = 0; place < junction; ++place) {
      sum += walk * at[place];
      next[place == 0 ? 0 : place - 1] += at[place] / 4;
      next[place + 1] += at[place] / 4;
      next[place] += at[place] / 2;
    }
    sum += at[junction] * (right_turn + wrong_turn + 2 * walk) / 4;
    next[junction] += at[junction] / 2;
    at.swap(next);
  }
  return sum;
}

class Tmaze final : public Environment {
 public:
  explicit Tmaze(const Maze& maze) : maze_(maze) {
    info_ = {.name = "tmaze",
             .summary = "turn at the end of a corridor to where the first observation pointed",
             .source = "Pramanik et al. 2023, arXiv 2310.15719; Bakker 2001",
             .observations = maze.code() + maze.distractors,
             .actions = actions_count,
             .longest = maze.limit,
             .best_return = 4 - 0.1 * static_cast<double>(maze.junction()),
             .random_return = random_return(maze),
             .memoryless_return = 1.5 - 0.1 * static_cast<double>(maze.junction()),
             .success = "the turn was to the cue",
             .knows_best_action = true,
             .size_option = "corridor",
             .size = maze.corridor,
             .options = options()};
  }

  static std::vector<Option> options() {
    return {{.name = "corridor",
             .value = "10",
             .help = "places, the junction included",
             .choices = {},
             .low = 2,
             .high = 256,
             .whole = true},
            {.name = "encoding",
             .value = "gray",
             .help = "how cue and place are told",
             .choices = {"gray", "bakker"}},
            {.name = "distractors",
             .value = "6",
             .help = "random bits in the observation",
             .choices = {},
             .low = 0,
             .high = 16,
             .whole = true},
            {.name = "limit",
             .value = "1000",
             .help = "actions after which an episode ends",
             .choices = {},
             .low = 2,
             .high = 100'000,
             .whole = true}};
  }

  const EnvironmentInfo& info() const override { return info_; }

  void resize(Index rows) override { episodes_.assign(static_cast<std::size_t>(rows), {}); }

  void reset(Index row, const Rng& episode, float* observation) override {
    Episode& fresh = episodes_[static_cast<std::size_t>(row)];
    fresh = {.rng = episode, .cue = episode.below(0, 2) == 0 ? up : down};
    show(fresh, observation);
  }

  void act(std::span<const int> actions, Matrix<float> observations, std::span<float> rewards,
           std::span<std::uint8_t> ended) override {
    for (std::size_t row = 0; row < episodes_.size(); ++row) {
      Episode& episode = episodes_[row];
      const int action = actions[row];
      const bool turns = episode.place == maze_.junction() && (action == up || action == down);
      episode.succeeded = turns && action == episode.cue;
      rewards[row] = episode.succeeded ? right_turn : turns ? wrong_turn : walk;
      if (episode.place < maze_.junction()) {
        episode.place += action == right ? 1 : action == left && episode.place > 0 ? -1 : 0;
      }
      ++episode.step;
      ended[row] = turns || episode.step == maze_.limit ? 1 : 0;
      show(episode, observations.row(static_cast<Index>(row)));
    }
  }

  int best_action(Index row) const override {
    const Episode& episode = episodes_[static_cast<std::size_t>(row)];
    return episode.place < maze_.junction() ? right : episode.cue;
  }

  bool succeeded(Index row) const override {
    return episodes_[static_cast<std::size_t>(row)].succeeded;
  }

  // "up   @.........Y": the cue, where we are, the junction; long corridors are drawn shorter.
  std::string picture(Index row) const override {
    const Episode& episode = episodes_[static_cast<std::size_t>(row)];
    constexpr Index widest = 60;
    const Index width = std::min(maze_.corridor, widest);
    std::string corridor(static_cast<std::size_t>(width - 1), '.');
    corridor += 'Y';
    corridor[static_cast<std::size_t>(episode.place * (width - 1) / maze_.junction())] = '@';
    return (episode.cue == up ? "up   " : "down ") + corridor;
  }

 private:
  struct Episode {
    Rng rng{0};
    int cue = up;
    Index place = 0;
    Index step = 0;
    bool succeeded = false;
  };

  void show(const Episode& episode, float* observation) const {
    maze_.gray ? show_gray(episode, observation) : show_bakker(episode, observation);
    // index 0 has drawn the cue
    const std::uint64_t coins = episode.step == 0 ? 0 : episode.rng.bits(episode.step);
    float* const distractors = observation + maze_.code();
    for (Index i = 0; i < maze_.distractors; ++i) {
      distractors[i] = static_cast<float>(coins >> i & 1);
    }
  }

  static void show_gray(const Episode& episode, float* observation) {
    observation[0] = episode.step == 0 && episode.cue == down ? 1 : 0;
    observation[1] = episode.step == 0 && episode.cue == up ? 1 : 0;
    const Index code = episode.place ^ episode.place >> 1;
    for (Index bit = 0; bit < gray_bits; ++bit) {
      observation[2 + bit] = static_cast<float>(code >> (gray_bits - 1 - bit) & 1);
    }
  }

  void show_bakker(const Episode& episode, float* observation) const {
    const bool cued = episode.step == 0;
    const bool open = !cued && episode.place == maze_.junction();
    observation[0] = (cued && episode.cue == up) || open ? 0 : 1;
    observation[1] = cued || open ? 1 : 0;
    observation[2] = (cued && episode.cue == down) || open ? 0 : 1;
  }

  Maze maze_;
  EnvironmentInfo info_;
  std::vector<Episode> episodes_;
};

}  // namespace

std::unique_ptr<Environment> make_tmaze(const OptionValues& options) {
  const OptionValues complete = complete_options("task-option", "tmaze", Tmaze::options(), options);
  const Maze maze = {.corridor = std::stoll(complete.at("corridor")),
                     .gray = complete.at("encoding") == "gray",
                     .distractors = std::stoll(complete.at("distractors")),
                     .limit = std::stoll(complete.at("limit"))};
  if (maze.limit < maze.corridor) {
    fail(Exit::usage, "--task-option limit={}: a corridor of {} takes {} actions", maze.limit,
         maze.corridor, maze.corridor);
  }
  return std::make_unique<Tmaze>(maze);
}

}  // namespace rlt
