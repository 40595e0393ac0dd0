// Events: -log p(time to the next event) - log p(its mark) at every scored position.
// Paper: the log-normal mixture of Shchur, Bilos, Guennemann 2020 (arXiv 1909.12127), as the models that Aaren
//   (arXiv 2405.13956) is compared on end.
// Outputs of a position, C = 8 components and K marks:
//   [a (C), mu (C), s (C), marks (K)]; with one mark there are no logits of marks: outputs() = 3 C + (K > 1 ? K : 0)
// Targets: classes (B,T) the next mark, `not_scored` where the next event was not seen;
//   reals (B T, 2) = {tau, seen}: the time to the next event and 1, or to the end of observation and 0; a row of
//   NaN where nothing is asked.
// Mixture: w = softmax(a), sigma = softplus(s) + smallest_sigma, x = log tau, z_c = (x - mu_c) / sigma_c
//   p(tau) = sum_c w_c phi(z_c) / (tau sigma_c)
//   S(tau) = sum_c w_c Q(z_c)                     Q = 1 - Phi: normal_tail.hpp
// Loss: -log p(tau) - log softmax(marks)_mark where the event was seen, -log S(tau) where it was not.
// Gradient, with r_c the share of component c in the sum p or S, and h = phi / Q:
//   da_c = w_c - r_c
//   seen:      dmu_c = -r_c z_c / sigma_c       dsigma_c = r_c (1 - z_c^2) / sigma_c
//   censored:  dmu_c = -r_c h(z_c) / sigma_c    dsigma_c = -r_c h(z_c) z_c / sigma_c
//   ds_c = dsigma_c sigmoid(s_c)
// Score: `loss` counts all terms, `time_loss` all but the marks'; `tokens` and `numbers` the events that were seen,
//   so that the loss per token is nats per event; `tokens_correct` the marks whose logit is the largest (the one
//   mark there is counts as right); the errors are those of the mean of the mixture,
//   sum_c w_c exp(min(mu_c + sigma_c^2 / 2, largest_log_mean)), against tau. The hard limit keeps the errors
//   finite; it touches neither loss nor gradient.
// A tau below the smallest normal float, as where observation ends with an event, counts as that float.
// Arithmetic is in double for either T; outputs of any finite float give a finite loss.
#pragma once

#include "losses/loss.hpp"

namespace rlt {

template <std::floating_point T>
class EventMixture final : public Loss<T> {
 public:
  static constexpr Index components = 8;
  static constexpr double smallest_sigma = 1e-3;
  static constexpr double largest_log_mean = 80;

  explicit EventMixture(Index marks) : marks_(marks) {}

  Index outputs() const override { return 3 * components + (marks_ > 1 ? marks_ : 0); }
  /// Events that were seen. A batch with none may still lose by its censored positions.
  Index scored(const Targets& targets) const override;
  void apply(const Targets& targets, T scale, Matrix<T> outputs,
             std::span<Score> scores) const override;

 private:
  Index marks_;
};

}  // namespace rlt
