// A categorical policy given by logits: p_j = softmax_j(logits), its entropy, and the gradients of both.
#pragma once

#include <algorithm>
#include <cmath>

#include "base/index.hpp"

namespace rlt {

template <typename T>
class Policy {
 public:
  Policy(const T* logits, Index actions) : logits_(logits), actions_(actions) {
    const auto largest = static_cast<double>(*std::max_element(logits, logits + actions));
    double sum = 0;
    for (Index j = 0; j < actions; ++j) sum += std::exp(static_cast<double>(logits[j]) - largest);
    log_sum_ = largest + std::log(sum);
    for (Index j = 0; j < actions; ++j) entropy_ -= std::exp(log_p(j)) * log_p(j);
  }

  double log_p(Index action) const { return static_cast<double>(logits_[action]) - log_sum_; }
  double entropy() const { return entropy_; }
  /// The action at which the sum of probabilities passes `uniform`, a number of [0, 1).
  int sample(double uniform) const {
    for (Index j = 0; j + 1 < actions_; ++j) {
      uniform -= std::exp(log_p(j));
      if (uniform < 0) return static_cast<int>(j);
    }
    return static_cast<int>(actions_ - 1);
  }

  /// Writes over the logits, which must be `logits`, the gradient of
  ///   scale (slope log p(action) - entropy_cost entropy),
  /// with d log p_a / d logit_j = 1[j = a] - p_j and d entropy / d logit_j = -p_j (log p_j + entropy).
  void gradient(int action, double slope, double entropy_cost, double scale, T* logits) const {
    for (Index j = 0; j < actions_; ++j) {
      const double log_p_j = log_p(j);
      const double p_j = std::exp(log_p_j);
      const double chosen = j == action ? 1 : 0;
      logits[j] = static_cast<T>(
          scale * (slope * (chosen - p_j) + entropy_cost * p_j * (log_p_j + entropy_)));
    }
  }

 private:
  const T* logits_;
  Index actions_;
  double log_sum_ = 0;
  double entropy_ = 0;
};

}  // namespace rlt
