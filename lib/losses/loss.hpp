// How the outputs of a head become a loss, its gradient and a score. One file per loss; trainer, evaluator and
// gradient checks call the same one.
#pragma once

#include <cmath>
#include <concepts>
#include <span>

#include "losses/score.hpp"
#include "nn/sequence.hpp"

namespace rlt {

/// What a batch asks for: classes, real numbers, or both.
struct Targets {
  Extent extent;
  const int* classes = nullptr;              // (B,T), negative where nothing is asked; may be null
  int blank = -1;                            // the class of positions without an answer; -1: none
  Matrix<const float> reals{nullptr, 0, 0};  // (B T, K), a row of NaN where nothing is asked

  bool asks_reals(Index row) const { return !std::isnan(*reals.row(row)); }
  Index rows_of_reals() const {
    Index count = 0;
    for (Index row = 0; row < extent.rows(); ++row) count += asks_reals(row) ? 1 : 0;
    return count;
  }
};

template <std::floating_point T>
class Loss {
 public:
  virtual ~Loss() = default;

  /// Numbers that the loss reads at each position.
  virtual Index outputs() const = 0;
  /// Positions that count.
  virtual Index scored(const Targets& targets) const = 0;
  /// Adds what sequence b lost and got right to scores[b]. Where scale != 0, `outputs` (B T, outputs())
  /// become scale dloss/doutputs, 0 where nothing is asked; scale 0 leaves them as they are.
  virtual void apply(const Targets& targets, T scale, Matrix<T> outputs,
                     std::span<Score> scores) const = 0;
};

/// The sum over sequences; one is correct when all its scored positions are.
inline Score total(std::span<const Score> sequences) {
  Score sum;
  for (const Score& sequence : sequences) {
    sum += sequence;
    ++sum.sequences;
    if (sequence.tokens_correct == sequence.tokens) ++sum.sequences_correct;
  }
  return sum;
}

}  // namespace rlt
