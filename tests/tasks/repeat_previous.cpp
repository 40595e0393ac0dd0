#include <doctest/doctest.h>

#include <algorithm>

#include "tests/support/play.hpp"
#include "tests/support/slow_deck.hpp"

using namespace rlt;

namespace {

class SlowGame {
 public:
  SlowGame(int cards, int k, const Rng& rng) : deck_(test::slow_deck(cards, 4, rng)), k_(k) {
    deal();
  }
  std::vector<float> observe() const { return test::one_hot(hand_.back(), 4); }
  float act(int action) {
    float reward = 0;
    if (std::ssize(hand_) >= k_) {
      const float scale = 1.0F / static_cast<float>(all() - k_);
      reward = action == hand_[hand_.size() - static_cast<std::size_t>(k_)] ? scale : -scale;
    }
    deal();
    return reward;
  }
  bool ended() const { return hand_.size() == deck_.size(); }

 private:
  Index all() const { return std::ssize(deck_); }
  void deal() { hand_.push_back(deck_[hand_.size()]); }
  std::vector<int> deck_, hand_;
  Index k_;
};

struct Case {
  std::string difficulty;
  int cards, k;
};
const Case cases[] = {{"easy", 52, 4}, {"medium", 104, 32}, {"hard", 156, 64}};

}  // namespace

TEST_CASE("repeat_previous: the same episodes as an independent version of the rules") {
  for (const Case& it : cases) {
    const auto game = make_environment("repeat_previous", {{"difficulty", it.difficulty}});
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const Rng rng(seed);
      test::check_same(*game, SlowGame(it.cards, it.k, rng), rng,
                       test::uniform(*game, rng.stream("actions")));
    }
  }
}

TEST_CASE(
    "repeat_previous: who remembers k-1 cards earns 1, who remembers one more or less does not") {
  for (const Case& it : cases) {
    CAPTURE(it.difficulty);
    const auto game = make_environment("repeat_previous", {{"difficulty", it.difficulty}});
    for (const int memory : {it.k - 1, it.k, it.k - 2}) {
      std::vector<int> seen;
      const test::Episode episode =
          test::play(*game, Rng(6), [&](const std::vector<float>& observation) {
            seen.push_back(test::shown_class(observation, 0, 4));
            return seen[static_cast<std::size_t>(
                std::max<Index>(0, std::ssize(seen) - 1 - memory))];
          });
      CHECK(episode.length() == it.cards - 1);
      CHECK(std::count(episode.rewards.begin(), episode.rewards.end(), 0.0F) == it.k - 1);
      if (memory == it.k - 1) CHECK(episode.earned() == doctest::Approx(1));
      if (memory != it.k - 1) CHECK(episode.earned() < 0.2);
      // The deck is whole: every suit a quarter of it.
      seen.push_back(test::shown_class(episode.observations.back(), 0, 4));
      for (int suit = 0; suit < 4; ++suit) {
        CHECK(std::count(seen.begin(), seen.end(), suit) == it.cards / 4);
      }
    }
  }
}
