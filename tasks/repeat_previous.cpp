// repeat_previous: say the suit of the card seen k-1 cards ago.
// Paper: POPGym (arXiv 2303.01859). N cards, one shown per step; k = 4, 1 deck; 32, 2 decks; 64, 3 decks.
// Observation: (4) suit of the latest card, one-hot. Action: a suit.
// Reward: once k cards have been seen, 1 / (N - k) for the suit k-1 cards before the latest, -1 / (N - k) for
//   another; nothing before. An episode has N - 1 actions. Returns: best 1, random -1/2.
#include <algorithm>
#include <array>

#include "tasks/deck.hpp"
#include "tasks/environment_registry.hpp"

namespace rlt {
namespace {

struct Difficulty {
  Index k, decks;
};
constexpr std::array<Difficulty, 3> difficulties = {{{4, 1}, {32, 2}, {64, 3}}};
constexpr Index suits = 4;

class RepeatPrevious final : public Environment {
 public:
  explicit RepeatPrevious(const Difficulty& difficulty)
      : k_(difficulty.k), decks_(difficulty.decks, suits) {
    info_ = {.name = "repeat_previous",
             .summary = "say the suit of the card seen some cards ago",
             .source = popgym_source,
             .observations = suits,
             .actions = suits,
             .longest = decks_.cards() - 1,
             .best_return = 1,
             .random_return = -0.5,
             .knows_best_action = true,
             .options = {difficulty_option()}};
  }

  const EnvironmentInfo& info() const override { return info_; }

  void resize(Index rows) override {
    decks_.resize(rows);
    seen_.assign(static_cast<std::size_t>(rows), 0);
  }

  void reset(Index row, const Rng& episode, float* observation) override {
    decks_.shuffle(row, episode);
    seen_[static_cast<std::size_t>(row)] = 1;
    show(row, observation);
  }

  void act(std::span<const int> actions, Matrix<float> observations, std::span<float> rewards,
           std::span<std::uint8_t> ended) override {
    const float prize = 1.0F / static_cast<float>(decks_.cards() - k_);
    for (std::size_t row = 0; row < seen_.size(); ++row) {
      const int wanted = best_action(static_cast<Index>(row));
      rewards[row] = wanted < 0 ? 0 : actions[row] == wanted ? prize : -prize;
      ended[row] = ++seen_[row] == decks_.cards() ? 1 : 0;
      show(static_cast<Index>(row), observations.row(static_cast<Index>(row)));
    }
  }

  int best_action(Index row) const override {
    const Index seen = seen_[static_cast<std::size_t>(row)];
    return seen < k_ ? -1 : decks_(row, seen - k_);
  }

 private:
  void show(Index row, float* observation) const {
    std::fill_n(observation, suits, 0.0F);
    observation[decks_(row, seen_[static_cast<std::size_t>(row)] - 1)] = 1;
  }

  Index k_;
  EnvironmentInfo info_;
  Decks decks_;
  std::vector<Index> seen_;  // cards, per row
};

}  // namespace

std::unique_ptr<Environment> make_repeat_previous(const OptionValues& options) {
  return std::make_unique<RepeatPrevious>(
      chosen_difficulty("repeat_previous", difficulties, options));
}

}  // namespace rlt
