// What the card games of POPGym (Morad et al. 2023, arXiv 2303.01859) share: shuffled decks, difficulties.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/index.hpp"
#include "base/option.hpp"
#include "base/rng.hpp"

namespace rlt {

inline constexpr const char* popgym_source = "Morad et al. 2023, arXiv 2303.01859";

/// A deck in every row. Of a card only its class counts: one of 2 colours, 4 suits or 13 ranks, each as
/// often as the others.
class Decks {
 public:
  /// `decks` packs of 52 cards, put together.
  Decks(Index decks, Index classes) : cards_(52 * decks), classes_(classes) {}

  Index cards() const { return cards_; }
  Index classes() const { return classes_; }

  void resize(Index rows) { dealt_.assign(static_cast<std::size_t>(rows * cards_), 0); }

  /// Fisher-Yates on the classes 0, 1, ..., 0, 1, ...: place i, from the last down to 1, changes with place
  /// rng.below(i, i + 1).
  void shuffle(Index row, const Rng& rng) {
    std::uint8_t* const deck = dealt_.data() + row * cards_;
    for (Index i = 0; i < cards_; ++i) deck[i] = static_cast<std::uint8_t>(i % classes_);
    for (Index i = cards_ - 1; i > 0; --i) std::swap(deck[i], deck[rng.below(i, i + 1)]);
  }

  /// The class of the card at a place of the deck of `row`.
  int operator()(Index row, Index place) const {
    return dealt_[static_cast<std::size_t>(row * cards_ + place)];
  }

 private:
  Index cards_, classes_;
  std::vector<std::uint8_t> dealt_;  // (rows, cards)
};

inline Option difficulty_option() {
  return {.name = "difficulty",
          .value = "easy",
          .help = "as POPGym has them",
          .choices = {"easy", "medium", "hard"}};
}

/// Of what a game is at its three difficulties, the one that is wanted; `game` names the environment.
template <typename Difficulty>
const Difficulty& chosen_difficulty(const char* game, const std::array<Difficulty, 3>& difficulties,
                                    const OptionValues& options) {
  const Option option = difficulty_option();
  const OptionValues complete = complete_options("task-option", game, {option}, options);
  const auto chosen = std::ranges::find(option.choices, complete.at(option.name));
  return difficulties[static_cast<std::size_t>(chosen - option.choices.begin())];
}

}  // namespace rlt
