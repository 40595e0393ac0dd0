// What a loss counts. Everything is a sum; ratios are the caller's.
#pragma once

#include "base/index.hpp"

namespace rlt {

struct Score {
  double loss = 0;           // over scored positions; in nats for likelihoods
  Index tokens = 0;          // scored positions
  Index tokens_correct = 0;  // of a classifier: its largest output (ties: the lower class) is right
  Index answers = 0;         // scored positions whose class is not the task's blank
  Index answers_correct = 0;
  Index sequences = 0;
  Index sequences_correct = 0;  // every scored position correct
  // of an actor-critic pair: the parts of the loss without their coefficients
  double policy_loss = 0;
  double value_loss = 0;
  double entropy = 0;  // of the policy, in nats
  // of real numbers foretold
  Index numbers = 0;
  double squared_error = 0;
  double absolute_error = 0;
  double time_loss = 0;  // of events: the part of the loss that is not the marks', in nats

  Score& operator+=(const Score& other) {
    loss += other.loss;
    tokens += other.tokens;
    tokens_correct += other.tokens_correct;
    answers += other.answers;
    answers_correct += other.answers_correct;
    sequences += other.sequences;
    sequences_correct += other.sequences_correct;
    policy_loss += other.policy_loss;
    value_loss += other.value_loss;
    entropy += other.entropy;
    numbers += other.numbers;
    squared_error += other.squared_error;
    absolute_error += other.absolute_error;
    time_loss += other.time_loss;
    return *this;
  }
  double loss_per_token() const { return tokens == 0 ? 0 : loss / static_cast<double>(tokens); }
};

}  // namespace rlt
