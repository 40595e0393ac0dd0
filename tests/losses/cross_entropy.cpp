#include "losses/cross_entropy.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/gradient_check.hpp"
#include "support/numbers.hpp"

using rlt::Index;

namespace {

/// What one call returns; `logits` is what it leaves behind.
template <typename T>
struct Result {
  bool correct = false;
  T loss;
  std::vector<T> logits;

  Result(std::vector<T> given, int target, T scale)
      : loss(rlt::cross_entropy(given.data(), std::ssize(given), target, scale, correct)),
        logits(std::move(given)) {}
};

template <typename T>
doctest::Approx about(double expected) {
  return doctest::Approx(expected).epsilon(16 * std::numeric_limits<T>::epsilon());
}

}  // namespace

TEST_CASE_TEMPLATE("cross-entropy: value and gradient by hand", T, float, double) {
  // probabilities 1/6, 2/6, 3/6
  const std::vector<T> logits = {T(5), T(5 + std::log(2.0)), T(5 + std::log(3.0))};
  const Result<T> middle(logits, 1, T(1));
  CHECK(middle.loss == about<T>(std::log(3.0)));
  CHECK(!middle.correct);
  CHECK(middle.logits[0] == about<T>(1.0 / 6));
  CHECK(middle.logits[1] == about<T>(2.0 / 6 - 1));
  CHECK(middle.logits[2] == about<T>(3.0 / 6));
  const Result<T> last(logits, 2, T(0.25));
  CHECK(last.loss == about<T>(std::log(2.0)));
  CHECK(last.correct);
  CHECK(last.logits[0] == about<T>(0.25 / 6));
  CHECK(last.logits[1] == about<T>(0.25 * 2 / 6));
  CHECK(last.logits[2] == about<T>(0.25 * (3.0 / 6 - 1)));
}

// Numbers of classes on both sides of whole vectors.
TEST_CASE(
    "cross-entropy: value and gradient of every number of classes are those of the definition") {
  for (const Index classes : {1, 2, 3, 8, 17, 64, 129}) {
    for (const int target : {0, static_cast<int>(classes / 2), static_cast<int>(classes - 1)}) {
      CAPTURE(classes);
      CAPTURE(target);
      std::vector<double> logits = support::numbers(classes, 9);
      for (double& logit : logits) logit *= 3;
      double sum = 0;
      for (const double logit : logits) sum += std::exp(logit);
      const Result<double> result(logits, target, 2.0);
      CHECK(std::abs(result.loss - std::log(sum) + logits[target]) < 1e-13);
      CHECK(result.correct ==
            (std::ranges::max_element(logits) - logits.begin() == static_cast<Index>(target)));
      for (Index c = 0; c < classes; ++c) {
        const double expected = 2 * (std::exp(logits[c]) / sum - (c == target ? 1 : 0));
        CHECK(std::abs(result.logits[c] - expected) < 1e-13);
      }
      const auto loss = [&] { return 2 * Result<double>(logits, target, 0).loss; };
      CHECK(rlt::gradient_error(logits[target], result.logits[target], loss) <
            rlt::GradientTolerance().error);
    }
  }
}

TEST_CASE_TEMPLATE("cross-entropy: scale 0 measures and leaves the logits as they are", T, float,
                   double) {
  for (const Index classes : {1, 3, 40}) {
    const std::vector<T> logits = support::numbers<T>(classes, 10);
    const Result<T> measured(logits, 0, T(0));
    CHECK(measured.logits == logits);
    const Result<T> trained(logits, 0, T(1));
    CHECK(measured.loss == trained.loss);
    CHECK(measured.correct == trained.correct);
    CHECK(Result<T>(logits, -1, T(0)).logits == logits);
  }
}

TEST_CASE("cross-entropy: a position that is not scored costs nothing and teaches nothing") {
  const Result<double> result({1.0, 2.0, 3.0}, -1, 0.5);
  CHECK(result.loss == 0);
  CHECK(result.correct);
  CHECK(result.logits == std::vector<double>{0, 0, 0});
}

TEST_CASE("cross-entropy: of equal logits the lower class is the answer") {
  CHECK(Result<float>({2, 2, 1}, 0, 0).correct);
  CHECK(!Result<float>({2, 2, 1}, 1, 0).correct);
}

TEST_CASE_TEMPLATE("cross-entropy: huge logits give the loss of the margin and a finite gradient",
                   T, float, double) {
  const T huge = std::sqrt(std::numeric_limits<T>::max());
  const Result<T> sure({huge, T(0), -huge}, 0, T(1));
  CHECK(sure.loss == T(0));
  CHECK(sure.logits == std::vector<T>{0, 0, 0});
  const Result<T> wrong({huge, T(0), -huge}, 1, T(1));
  CHECK(wrong.loss == huge);
  CHECK(wrong.logits == std::vector<T>{1, -1, 0});
  CHECK(!wrong.correct);
  // far below zero all of them
  const Result<T> even({-huge, -huge}, 1, T(1));
  CHECK(even.loss == about<T>(std::log(2.0)));
  CHECK(even.logits == std::vector<T>{T(0.5), T(-0.5)});
}

TEST_CASE("cross-entropy: a logit that is not a number shows in the loss, wherever it stands") {
  for (const std::size_t place : {0, 1, 2}) {
    std::vector<float> logits = {1, 2, 3};
    logits[place] = std::nanf("");
    for (const int target : {0, 1, 2}) CHECK(std::isnan(Result<float>(logits, target, 1).loss));
  }
}

TEST_CASE("score: sums are taken field by field") {
  rlt::Score score{1.5, 2, 3, 4, 5, 6, 7};
  score += {0.25, 10, 20, 30, 40, 50, 60};
  CHECK(score.loss == 1.75);
  CHECK(score.tokens == 12);
  CHECK(score.tokens_correct == 23);
  CHECK(score.answers == 34);
  CHECK(score.answers_correct == 45);
  CHECK(score.sequences == 56);
  CHECK(score.sequences_correct == 67);
}
