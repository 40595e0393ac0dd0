// Cross-entropy over the scored positions, and what was right.
#pragma once

#include "tensor/gemm.hpp"

namespace rlt {

/// Sums over scored positions (target >= 0); ratios are the caller's.
struct Score {
  double loss = 0;  // sum of -log p(target), in nats
  Index tokens = 0;
  Index tokens_correct = 0;  // the largest logit is the target's; ties go to the lower class
  Index answers = 0;         // scored positions whose class is not the task's blank
  Index answers_correct = 0;
  Index sequences = 0;
  Index sequences_correct = 0;  // every scored position correct

  Score& operator+=(const Score& other) {
    loss += other.loss;
    tokens += other.tokens;
    tokens_correct += other.tokens_correct;
    answers += other.answers;
    answers_correct += other.answers_correct;
    sequences += other.sequences;
    sequences_correct += other.sequences_correct;
    return *this;
  }
};

/// One position. logits (V) become dL/dlogits = (softmax - onehot) scale; scale 0 leaves them as they are.
/// target < 0: not scored, gradient 0. Returns -log p(target), or 0; `correct` tells whether the largest logit
/// is the target, and is true where nothing is scored.
template <typename T>
T cross_entropy(T* logits, Index classes, int target, T scale, bool& correct);

}  // namespace rlt
