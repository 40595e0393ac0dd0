// autoencode: watch a deck card by card, then say its suits from the last card back to the first.
// Paper: POPGym (arXiv 2303.01859). N cards: 1, 2 or 3 decks.
// Observation: mode one-hot (2): 0 recite, 1 watch; suit one-hot (4). The last card is shown in mode 0, when
//   the answer to it is due; from then on the suit shown is 0 whatever was in the deck. Action: a suit.
// Reward: 1 / N for the right suit in mode 0, -1 / N for another; nothing in mode 1.
// An episode has 2 N - 1 actions, N of them answers. Returns: best 1, random -1/2.
#include <algorithm>
#include <array>

#include "tasks/deck.hpp"
#include "tasks/environment_registry.hpp"

namespace rlt {
namespace {

struct Difficulty {
  Index decks;
};
constexpr std::array<Difficulty, 3> difficulties = {{{1}, {2}, {3}}};
constexpr Index suits = 4;
constexpr Index modes = 2, recite = 0, watch = 1;

class Autoencode final : public Environment {
 public:
  explicit Autoencode(const Difficulty& difficulty) : decks_(difficulty.decks, suits) {
    info_ = {.name = "autoencode",
             .summary = "watch a deck of cards, then say its suits backwards",
             .source = popgym_source,
             .observations = modes + suits,
             .actions = suits,
             .longest = 2 * decks_.cards() - 1,
             .best_return = 1,
             .random_return = -0.5,
             .knows_best_action = true,
             .options = {difficulty_option()}};
  }

  const EnvironmentInfo& info() const override { return info_; }

  void resize(Index rows) override {
    decks_.resize(rows);
    steps_.assign(static_cast<std::size_t>(rows), 0);
  }

  void reset(Index row, const Rng& episode, float* observation) override {
    decks_.shuffle(row, episode);
    steps_[static_cast<std::size_t>(row)] = 0;
    show(row, observation);
  }

  void act(std::span<const int> actions, Matrix<float> observations, std::span<float> rewards,
           std::span<std::uint8_t> ended) override {
    const float prize = 1.0F / static_cast<float>(decks_.cards());
    for (std::size_t row = 0; row < steps_.size(); ++row) {
      const int wanted = best_action(static_cast<Index>(row));
      rewards[row] = wanted < 0 ? 0 : actions[row] == wanted ? prize : -prize;
      ended[row] = ++steps_[row] == info_.longest ? 1 : 0;
      show(static_cast<Index>(row), observations.row(static_cast<Index>(row)));
    }
  }

  int best_action(Index row) const override {
    const Index step = steps_[static_cast<std::size_t>(row)];
    return step < last_card() ? -1 : decks_(row, 2 * last_card() - step);
  }

 private:
  Index last_card() const { return decks_.cards() - 1; }

  void show(Index row, float* observation) const {
    const Index step = steps_[static_cast<std::size_t>(row)];
    std::fill_n(observation, modes + suits, 0.0F);
    observation[step < last_card() ? watch : recite] = 1;
    observation[modes + (step <= last_card() ? decks_(row, step) : 0)] = 1;
  }

  EnvironmentInfo info_;
  Decks decks_;
  std::vector<Index> steps_;  // actions taken, per row
};

}  // namespace

std::unique_ptr<Environment> make_autoencode(const OptionValues& options) {
  return std::make_unique<Autoencode>(chosen_difficulty("autoencode", difficulties, options));
}

}  // namespace rlt
