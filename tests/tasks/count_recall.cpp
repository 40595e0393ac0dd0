#include <doctest/doctest.h>

#include <algorithm>

#include "tests/support/play.hpp"
#include "tests/support/slow_deck.hpp"

using namespace rlt;

namespace {

class SlowGame {
 public:
  SlowGame(int cards, int classes, const Rng& rng)
      : classes_(classes),
        cards_(test::slow_deck(cards, classes, rng.stream("cards"))),
        questions_(test::slow_deck(cards, classes, rng.stream("questions"))) {}

  std::vector<float> observe() const {
    return test::joined(test::one_hot(cards_[shown_], classes_),
                        test::one_hot(questions_[shown_], classes_));
  }
  float act(int action) {
    const auto dealt = cards_.begin() + static_cast<Index>(shown_) + 1;
    const bool right = action == std::count(cards_.begin(), dealt, questions_[shown_]);
    ++shown_;
    const float scale = 1.0F / static_cast<float>(cards_.size() - 1);
    return right ? scale : -scale;
  }
  bool ended() const { return shown_ + 1 == cards_.size(); }

 private:
  int classes_;
  std::vector<int> cards_, questions_;
  std::size_t shown_ = 0;
};

struct Case {
  std::string difficulty;
  int cards, classes, highest;
};
const Case cases[] = {{"easy", 52, 2, 26}, {"medium", 104, 4, 26}, {"hard", 208, 13, 16}};

}  // namespace

TEST_CASE("count_recall: the same episodes as an independent version of the rules") {
  for (const Case& it : cases) {
    const auto game = make_environment("count_recall", {{"difficulty", it.difficulty}});
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const Rng rng(seed);
      test::check_same(*game, SlowGame(it.cards, it.classes, rng), rng,
                       test::uniform(*game, rng.stream("actions")));
    }
  }
}

TEST_CASE("count_recall: who counts what was dealt earns 1, complete classes included") {
  for (const Case& it : cases) {
    CAPTURE(it.difficulty);
    const auto game = make_environment("count_recall", {{"difficulty", it.difficulty}});
    CHECK(game->info().actions == it.highest + 1);
    Index complete = 0;
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      std::vector<int> cards, questions;
      const auto see = [&](const std::vector<float>& observation) {
        cards.push_back(test::shown_class(observation, 0, it.classes));
        questions.push_back(test::shown_class(observation, it.classes, it.classes));
      };
      const test::Episode episode =
          test::play(*game, Rng(seed), [&](const std::vector<float>& observation) {
            see(observation);
            const auto count = std::count(cards.begin(), cards.end(), questions.back());
            complete += count == it.highest;
            return count;
          });
      CHECK(episode.length() == it.cards - 1);
      CHECK(episode.earned() == doctest::Approx(1));
      see(episode.observations.back());
      CHECK(cards != questions);
      for (int c = 0; c < it.classes; ++c) {
        CHECK(std::count(cards.begin(), cards.end(), c) == it.highest);
        CHECK(std::count(questions.begin(), questions.end(), c) == it.highest);
      }
    }
    CHECK(complete > 0);
  }
}
