#include <doctest/doctest.h>

#include <algorithm>

#include "tests/support/play.hpp"
#include "tests/support/slow_deck.hpp"

using namespace rlt;

namespace {

class SlowGame {
 public:
  SlowGame(int cards, const Rng& rng)
      : deck_(test::slow_deck(cards, 4, rng)), scale_(1.0F / static_cast<float>(cards)) {
    watch();
  }
  std::vector<float> observe() const { return test::joined(test::one_hot(mode_, 2), suit_); }
  float act(int action) {
    if (mode_ == 1) {
      watch();
      return 0;
    }
    const float reward = action == hand_.back() ? scale_ : -scale_;
    hand_.pop_back();
    suit_ = test::one_hot(0, 4);
    return reward;
  }
  bool ended() const { return mode_ == 0 && hand_.empty(); }

 private:
  void watch() {
    hand_.push_back(deck_[hand_.size()]);
    suit_ = test::one_hot(hand_.back(), 4);
    mode_ = hand_.size() == deck_.size() ? 0 : 1;
  }
  std::vector<int> deck_, hand_;
  float scale_;
  std::vector<float> suit_;
  int mode_ = 1;
};

struct Case {
  std::string difficulty;
  int cards;
};
const Case cases[] = {{"easy", 52}, {"medium", 104}, {"hard", 156}};

}  // namespace

TEST_CASE("autoencode: the same episodes as an independent version of the rules") {
  for (const Case& it : cases) {
    const auto game = make_environment("autoencode", {{"difficulty", it.difficulty}});
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const Rng rng(seed);
      test::check_same(*game, SlowGame(it.cards, rng), rng,
                       test::uniform(*game, rng.stream("actions")));
    }
  }
}

TEST_CASE("autoencode: who recites backwards earns 1, who recites forwards does not") {
  for (const Case& it : cases) {
    CAPTURE(it.difficulty);
    const auto game = make_environment("autoencode", {{"difficulty", it.difficulty}});
    for (const bool backwards : {true, false}) {
      std::vector<int> seen;
      const test::Episode episode =
          test::play(*game, Rng(6), [&, said = 0](const std::vector<float>& observation) mutable {
            if (std::ssize(seen) < it.cards) seen.push_back(test::shown_class(observation, 2, 4));
            if (test::shown_class(observation, 0, 2) == 1) return 0;
            const int place = backwards ? it.cards - 1 - said : said;
            ++said;
            return seen[static_cast<std::size_t>(place)];
          });
      CHECK(episode.length() == 2 * it.cards - 1);
      CHECK(std::count(episode.rewards.begin(), episode.rewards.end(), 0.0F) == it.cards - 1);
      if (backwards) CHECK(episode.earned() == doctest::Approx(1));
      if (!backwards) CHECK(episode.earned() < 0);
      for (int suit = 0; suit < 4; ++suit) {
        CHECK(std::count(seen.begin(), seen.end(), suit) == it.cards / 4);
      }
    }
  }
}
