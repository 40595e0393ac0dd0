#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "tests/support/play.hpp"
#include "tests/support/slow_deck.hpp"

using namespace rlt;

namespace {

class SlowGame {
 public:
  SlowGame(int cards, int classes, const Rng& rng)
      : deck_(test::slow_deck(cards, classes, rng)), classes_(classes) {
    const double n = cards;
    limit_ = static_cast<int>(std::ceil(2 * n - n / (2 * n - 1)));
    look();
  }

  std::vector<float> observe() const { return seen_; }
  float act(int action) {
    ++steps_;
    in_play_.push_back(action);
    look();
    float reward = 0;
    if (face_up_.contains(action)) {
      reward = -static_cast<float>(in_play_.size()) / static_cast<float>(limit_);
      in_play_.clear();
    } else if (in_play_.size() == 2) {
      const int first = in_play_[0];
      if (first != action && class_of(first) == class_of(action)) {
        face_up_.insert({first, action});
        reward = 2.0F / static_cast<float>(deck_.size());
      } else {
        reward = -2.0F / static_cast<float>(limit_);
      }
      in_play_.clear();
    }
    return reward;
  }
  bool ended() const { return steps_ == limit_ || face_up_.size() == deck_.size(); }

 private:
  int class_of(int card) const { return deck_[static_cast<std::size_t>(card)]; }
  void look() {
    seen_.clear();
    for (int card = 0; card < std::ssize(deck_); ++card) {
      const bool up = face_up_.contains(card) ||
                      std::find(in_play_.begin(), in_play_.end(), card) != in_play_.end();
      seen_ = test::joined(seen_, test::one_hot(up ? class_of(card) : classes_, classes_ + 1));
    }
  }

  std::vector<int> deck_;
  int classes_;
  int limit_ = 0, steps_ = 0;
  std::vector<int> in_play_;
  std::set<int> face_up_;
  std::vector<float> seen_;
};

struct Case {
  std::string difficulty;
  int cards, classes, limit;
};
const Case cases[] = {{"easy", 52, 2, 104}, {"medium", 104, 2, 208}, {"hard", 52, 13, 104}};

/// The mean return of uniform actions, exactly. Where a game stands: how many cards of each class lie face
/// down (ascending: classes are alike), and how many of the class of the first card of a turn, 0: none waits.
double random_return(const Case& game) {
  using Position = std::pair<std::vector<int>, int>;
  const double all = game.cards, fine = -1.0 / game.limit;
  const auto per_class = static_cast<std::size_t>(game.classes);
  std::map<Position, double> now = {
      {{std::vector<int>(per_class, game.cards / game.classes), 0}, 1.0}};
  double sum = 0;
  for (int step = 0; step < game.limit; ++step) {
    std::map<Position, double> next;
    for (const auto& entry : now) {
      const std::vector<int>& down = entry.first.first;
      const int waiting = entry.first.second;
      const double here = entry.second;
      double face_down = 0;
      for (const int count : down) face_down += count;
      const double up = (all - face_down) / all;
      if (face_down == 0) continue;
      if (waiting == 0) {
        sum += here * up * fine;
        next[{down, 0}] += here * up;
        for (const int count : down) {
          if (count > 0) next[{down, count}] += here * count / all;
        }
      } else {
        const double pair = (waiting - 1) / all;
        sum += here * (pair * 2 / all + (1 - pair) * 2 * fine);
        next[{down, 0}] += here * (1 - pair);
        std::vector<int> fewer = down;
        *std::find(fewer.begin(), fewer.end(), waiting) -= 2;
        std::sort(fewer.begin(), fewer.end());
        next[{fewer, 0}] += here * pair;
      }
    }
    now.swap(next);
  }
  return sum;
}

}  // namespace

TEST_CASE("concentration: the same episodes as an independent version of the rules") {
  for (const Case& it : cases) {
    const auto game = make_environment("concentration", {{"difficulty", it.difficulty}});
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      const Rng rng(seed);
      test::check_same(*game, SlowGame(it.cards, it.classes, rng), rng,
                       test::uniform(*game, rng.stream("actions")));
    }
  }
}

TEST_CASE("concentration: the stated return of uniform actions is that of the Markov chain") {
  for (const Case& it : cases) {
    CAPTURE(it.difficulty);
    const auto game = make_environment("concentration", {{"difficulty", it.difficulty}});
    // six digits are stated
    CHECK(game->info().random_return == doctest::Approx(random_return(it)).epsilon(5e-6));
    CHECK(game->info().longest == it.limit);
  }
}

TEST_CASE(
    "concentration: who knows the cards turns up all pairs, earns 1 and needs every card once") {
  for (const Case& it : cases) {
    CAPTURE(it.difficulty);
    const auto game = make_environment("concentration", {{"difficulty", it.difficulty}});
    const Rng rng(4);
    const std::vector<int> deck = test::slow_deck(it.cards, it.classes, rng);
    std::vector<int> order;
    for (int c = 0; c < it.classes; ++c) {
      for (int card = 0; card < it.cards; ++card) {
        if (deck[static_cast<std::size_t>(card)] == c) order.push_back(card);
      }
    }
    const test::Episode episode = test::play(
        *game, rng, [&, i = 0U](const std::vector<float>&) mutable { return order[i++]; });
    CHECK(episode.length() == it.cards);
    CHECK(episode.earned() == doctest::Approx(1));
    CHECK(episode.succeeded);
    std::vector<int> counts(static_cast<std::size_t>(it.classes) + 1, 0);
    for (int card = 0; card < it.cards; ++card) {
      const int first = card * (it.classes + 1);
      ++counts[static_cast<std::size_t>(
          test::shown_class(episode.observations.back(), first, it.classes + 1))];
    }
    for (int c = 0; c < it.classes; ++c) {
      CHECK(counts[static_cast<std::size_t>(c)] == it.cards / it.classes);
    }
  }
}

TEST_CASE("concentration: what a card that is already up, or is taken twice, costs") {
  const auto game = make_environment("concentration", {});
  const std::vector<int> deck = test::slow_deck(52, 2, Rng(4));
  const auto partner =
      static_cast<int>(std::find(deck.begin() + 1, deck.end(), deck[0]) - deck.begin());
  const auto other =
      static_cast<int>(std::find(deck.begin(), deck.end(), 1 - deck[0]) - deck.begin());
  // pair; up as first; up as second; twice the same; two that differ
  const std::vector<int> actions = {0, partner, 0, other, 0, other, other, other};
  const test::Episode episode =
      test::play(*game, Rng(4), [&, i = 0U](const std::vector<float>&) mutable {
        return i < actions.size() ? actions[i++] : 0;
      });
  const float fine = -1.0F / 104;
  const std::vector<float> expected = {0, 1.0F / 26, fine, 0, 2 * fine, 0, 2 * fine, 0, 2 * fine};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CAPTURE(i);
    CHECK(episode.rewards[i] == doctest::Approx(expected[i]));
  }
  CHECK_FALSE(episode.succeeded);
}
