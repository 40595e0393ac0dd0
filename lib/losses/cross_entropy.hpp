// Cross-entropy: -log softmax(outputs)_target at every scored position.
#pragma once

#include "losses/loss.hpp"

namespace rlt {

/// One position. logits (V) become dL/dlogits = (softmax - onehot) scale when `scale` != 0; else they are
/// lost. target < 0: not scored, loss 0, gradient 0. `correct`: the largest logit is the target's.
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
