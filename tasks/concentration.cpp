// concentration: the game of pairs. Turn up two cards at a time; two of one class stay face up.
// Paper: POPGym (arXiv 2303.01859). N cards, told apart by 2 colours of 1 deck, 2 colours of 2, 13 ranks of 1.
// Observation: for each card one-hot (classes + 1): its class, or the last when it lies face down. The second
//   card of a turn is seen before both are turned down again. Action: a card.
// Reward, with T = ceil(2 N - N / (2 N - 1)): 2 / N for a pair; -2 / T for two cards that differ, and for the
//   same card twice; a card that already lies face up ends the turn at -1 / T as its first card and -2 / T as
//   its second. An episode ends when all lie face up, or after T actions.
// Returns: at most 1, which takes luck or knowing the cards. Random: by a Markov chain over the numbers of
//   cards of each class that lie face down, in tests/tasks/concentration.cpp.
#include <algorithm>
#include <array>

#include "tasks/deck.hpp"
#include "tasks/environment_registry.hpp"

namespace rlt {
namespace {

struct Difficulty {
  Index classes, decks;
  double random_return;
};
constexpr std::array<Difficulty, 3> difficulties = {
    {{2, 1, -0.191404}, {2, 2, -0.185347}, {13, 1, -0.834917}}};

class Concentration final : public Environment {
 public:
  explicit Concentration(const Difficulty& difficulty)
      : decks_(difficulty.decks, difficulty.classes),
        face_down_(static_cast<int>(difficulty.classes)) {
    const Index cards = decks_.cards();
    info_ = {.name = "concentration",
             .summary = "turn up two cards at a time and find the pairs",
             .source = popgym_source,
             .observations = cards * (decks_.classes() + 1),
             .actions = cards,
             .longest = divide_up(2 * cards * (2 * cards - 1) - cards, 2 * cards - 1),
             .best_return = 1,
             .random_return = difficulty.random_return,
             .success = "all cards lie face up",
             .options = {difficulty_option()}};
  }

  const EnvironmentInfo& info() const override { return info_; }

  void resize(Index rows) override {
    decks_.resize(rows);
    games_.assign(static_cast<std::size_t>(rows), {});
    faces_.assign(static_cast<std::size_t>(rows * decks_.cards()), face_down_);
  }

  void reset(Index row, const Rng& episode, float* observation) override {
    decks_.shuffle(row, episode);
    games_[static_cast<std::size_t>(row)] = {};
    std::fill_n(faces_.begin() + row * decks_.cards(), decks_.cards(), face_down_);
    show(row, observation);
  }

  void act(std::span<const int> actions, Matrix<float> observations, std::span<float> rewards,
           std::span<std::uint8_t> ended) override {
    for (Index row = 0; row < std::ssize(games_); ++row) {
      const auto at = static_cast<std::size_t>(row);
      Game& game = games_[at];
      const int first = game.first;
      rewards[at] = turn_up(row, game, actions[at]);
      ended[at] = ++game.step == info_.longest || game.face_up == decks_.cards() ? 1 : 0;
      show(row, observations.row(row));
      for (const int card : {first, actions[at]}) {
        if (card != nothing) show_card(card, decks_(row, card), observations.row(row));
      }
    }
  }

  bool succeeded(Index row) const override {
    return games_[static_cast<std::size_t>(row)].face_up == decks_.cards();
  }

 private:
  static constexpr int nothing = -1;
  struct Game {
    int first = nothing;  // card of a turn that waits for its second
    Index face_up = 0;    // cards
    Index step = 0;
  };

  float turn_up(Index row, Game& game, int card) {
    int* const faces = faces_.data() + row * decks_.cards();
    const auto fine = -1.0F / static_cast<float>(info_.longest);
    const int first = game.first;
    game.first = nothing;
    if (faces[card] != face_down_) return first == nothing ? fine : 2 * fine;
    if (first == nothing) {
      game.first = card;
      return 0;
    }
    if (first == card || decks_(row, first) != decks_(row, card)) return 2 * fine;
    faces[first] = faces[card] = decks_(row, card);
    game.face_up += 2;
    return 2.0F / static_cast<float>(decks_.cards());
  }

  void show(Index row, float* observation) const {
    std::fill_n(observation, info_.observations, 0.0F);
    const int* const faces = faces_.data() + row * decks_.cards();
    for (Index card = 0; card < decks_.cards(); ++card) {
      observation[card * (face_down_ + 1) + faces[card]] = 1;
    }
  }
  void show_card(Index card, int face, float* observation) const {
    observation += card * (face_down_ + 1);
    observation[face_down_] = 0;
    observation[face] = 1;
  }

  Decks decks_;
  int face_down_;
  EnvironmentInfo info_;
  std::vector<Game> games_;
  std::vector<int> faces_;  // (rows, cards): class of a card that stays up, else face_down_
};

}  // namespace

std::unique_ptr<Environment> make_concentration(const OptionValues& options) {
  return std::make_unique<Concentration>(chosen_difficulty("concentration", difficulties, options));
}

}  // namespace rlt
