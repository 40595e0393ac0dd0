// count_recall: how often has a card of the class asked for been dealt so far?
// Paper: POPGym (arXiv 2303.01859). N cards dealt from one deck, N questions from another: 2 colours of 1 deck,
//   4 suits of 2, 13 ranks of 4.
// Observation: class of the card just dealt, class asked for, each one-hot. Action: a count 0..N / classes.
// Reward: 1 / (N - 1) for the number of cards of the asked class dealt so far, the one on show included,
//   -1 / (N - 1) for another. An episode has N - 1 actions; the last card is shown, but nobody answers.
// Returns: best 1, random 2 / (counts) - 1 with counts = N / classes + 1.
// departs: POPGym's actions end at N / classes - 1, so that its best policy cannot say that a class is complete.
#include <algorithm>
#include <array>

#include "tasks/deck.hpp"
#include "tasks/environment_registry.hpp"

namespace rlt {
namespace {

struct Difficulty {
  Index classes, decks;
};
constexpr std::array<Difficulty, 3> difficulties = {{{2, 1}, {4, 2}, {13, 4}}};

class CountRecall final : public Environment {
 public:
  explicit CountRecall(const Difficulty& difficulty)
      : cards_(difficulty.decks, difficulty.classes), questions_(cards_) {
    const Index counts = cards_.cards() / cards_.classes() + 1;
    info_ = {.name = "count_recall",
             .summary = "how often has the class asked for been dealt so far?",
             .source = popgym_source,
             .observations = 2 * cards_.classes(),
             .actions = counts,
             .longest = cards_.cards() - 1,
             .best_return = 1,
             .random_return = 2 / static_cast<double>(counts) - 1,
             .knows_best_action = true,
             .options = {difficulty_option()}};
  }

  const EnvironmentInfo& info() const override { return info_; }

  void resize(Index rows) override {
    cards_.resize(rows);
    questions_.resize(rows);
    dealt_.assign(static_cast<std::size_t>(rows), 0);
    counts_.assign(static_cast<std::size_t>(rows * cards_.classes()), 0);
  }

  void reset(Index row, const Rng& episode, float* observation) override {
    cards_.shuffle(row, episode.stream("cards"));
    questions_.shuffle(row, episode.stream("questions"));
    dealt_[static_cast<std::size_t>(row)] = 0;
    std::fill_n(counts_.begin() + row * cards_.classes(), cards_.classes(), 0);
    deal(row, observation);
  }

  void act(std::span<const int> actions, Matrix<float> observations, std::span<float> rewards,
           std::span<std::uint8_t> ended) override {
    const float prize = 1.0F / static_cast<float>(info_.longest);
    for (std::size_t row = 0; row < dealt_.size(); ++row) {
      rewards[row] = actions[row] == best_action(static_cast<Index>(row)) ? prize : -prize;
      deal(static_cast<Index>(row), observations.row(static_cast<Index>(row)));
      ended[row] = dealt_[row] == cards_.cards() ? 1 : 0;
    }
  }

  int best_action(Index row) const override {
    const int asked = questions_(row, dealt_[static_cast<std::size_t>(row)] - 1);
    return counts_[static_cast<std::size_t>(row * cards_.classes() + asked)];
  }

 private:
  void deal(Index row, float* observation) {
    const Index place = dealt_[static_cast<std::size_t>(row)]++;
    const int card = cards_(row, place);
    ++counts_[static_cast<std::size_t>(row * cards_.classes() + card)];
    std::fill_n(observation, info_.observations, 0.0F);
    observation[card] = 1;
    observation[cards_.classes() + questions_(row, place)] = 1;
  }

  EnvironmentInfo info_;
  Decks cards_, questions_;
  std::vector<Index> dealt_;  // cards, per row
  std::vector<int> counts_;   // (rows, classes) of the cards dealt
};

}  // namespace

std::unique_ptr<Environment> make_count_recall(const OptionValues& options) {
  return std::make_unique<CountRecall>(chosen_difficulty("count_recall", difficulties, options));
}

}  // namespace rlt
