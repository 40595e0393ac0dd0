// Cross-entropy: -log softmax(outputs)_target at every scored position.
#pragma once

#include "losses/loss.hpp"

namespace rlt {

/// One position. logits (V) become dL/dlogits = (softmax - onehot) scale; scale 0 leaves them as they are.
/// target < 0: not scored, gradient 0. Returns -log p(target), or 0; `correct` tells whether the largest logit
/// is the target, and is true where nothing is scored.
template <typename T>
T cross_entropy(T* logits, Index classes, int target, T scale, bool& correct);

template <std::floating_point T>
class CrossEntropy final : public Loss<T> {
 public:
  explicit CrossEntropy(Index classes) : classes_(classes) {}

  Index outputs() const override { return classes_; }
  Index scored(const Targets& targets) const override;
  void apply(const Targets& targets, T scale, Matrix<T> outputs,
             std::span<Score> scores) const override;

 private:
  Index classes_;
};

}  // namespace rlt
