#include "losses/event_mixture.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/parallel.hpp"
#include "losses/cross_entropy.hpp"
#include "losses/normal_tail.hpp"

namespace rlt {
namespace {

constexpr Index components = EventMixture<double>::components;
using Numbers = std::array<double, static_cast<std::size_t>(components)>;

double sigmoid(double x) {
  const double power = std::exp(-std::abs(x));
  return (x < 0 ? power : 1) / (1 + power);
}

double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

double log_sum_exp(const Numbers& x) {
  const double largest = *std::ranges::max_element(x);
  double sum = 0;
  for (const double value : x) sum += std::exp(value - largest);
  return largest + std::log(sum);
}

struct Mixture {
  Numbers log_weight, mu, sigma, slope;  // slope = dsigma/ds

  template <typename T>
  explicit Mixture(const T* outputs) {
    for (Index c = 0; c < components; ++c) {
      const auto s = static_cast<double>(outputs[2 * components + c]);
      log_weight[c] = static_cast<double>(outputs[c]);
      mu[c] = static_cast<double>(outputs[components + c]);
      sigma[c] = softplus(s) + EventMixture<double>::smallest_sigma;
      slope[c] = sigmoid(s);
    }
    const double sum = log_sum_exp(log_weight);
    for (double& weight : log_weight) weight -= sum;
  }

  double mean() const {
    double sum = 0;
    for (Index c = 0; c < components; ++c) {
      const double log_mean = mu[c] + sigma[c] * sigma[c] / 2;
      sum += std::exp(log_weight[c] + std::min(log_mean, EventMixture<double>::largest_log_mean));
    }
    return sum;
  }
};

/// The logarithm of what component c adds to p(tau) tau sqrt(2 pi) or to S(tau), and minus its slopes.
struct Terms {
  Numbers log_term, dmu, dsigma;
};

Terms seen_terms(const Mixture& mixture, double x) {
  Terms terms;
  for (Index c = 0; c < components; ++c) {
    const double sigma = mixture.sigma[c];
    const double z = (x - mixture.mu[c]) / sigma;
    terms.log_term[c] = mixture.log_weight[c] - std::log(sigma) - z * z / 2;
    terms.dmu[c] = -z / sigma;
    terms.dsigma[c] = (1 - z * z) / sigma;
  }
  return terms;
}

Terms censored_terms(const Mixture& mixture, double x) {
  Terms terms;
  for (Index c = 0; c < components; ++c) {
    const double sigma = mixture.sigma[c];
    const double z = (x - mixture.mu[c]) / sigma;
    const double hazard = normal_hazard(z);
    terms.log_term[c] = mixture.log_weight[c] + log_normal_tail(z);
    terms.dmu[c] = -hazard / sigma;
    terms.dsigma[c] = -hazard * z / sigma;
  }
  return terms;
}

/// -log p(tau) or -log S(tau); `outputs` become its gradient where scale != 0.
template <typename T>
double time_loss(const Mixture& mixture, double tau, bool seen, T scale, T* outputs) {
  const double x = std::log(tau);
  const Terms terms = seen ? seen_terms(mixture, x) : censored_terms(mixture, x);
  const double log_sum = log_sum_exp(terms.log_term);
  if (scale != T(0)) {
    for (Index c = 0; c < components; ++c) {
      const double share = std::exp(terms.log_term[c] - log_sum);
      const double ds = share * terms.dsigma[c] * mixture.slope[c];
      outputs[c] = scale * static_cast<T>(std::exp(mixture.log_weight[c]) - share);
      outputs[components + c] = scale * static_cast<T>(share * terms.dmu[c]);
      outputs[2 * components + c] = scale * static_cast<T>(ds);
    }
  }
  return -log_sum + (seen ? x + half_log_two_pi : 0);
}

bool is_seen(const float* target) { return target[1] == 1; }  // false for NaN

}  // namespace

template <std::floating_point T>
Index EventMixture<T>::scored(const Targets& targets) const {
  Index count = 0;
  for (Index row = 0; row < targets.extent.rows(); ++row) {
    count += is_seen(targets.reals.row(row)) ? 1 : 0;
  }
  return count;
}

template <std::floating_point T>
void EventMixture<T>::apply(const Targets& targets, T scale, Matrix<T> outputs,
                            std::span<Score> scores) const {
  const Index steps = targets.extent.steps;
  parallel_for(targets.extent.batch, [&](Index b, int) {
    Score& score = scores[static_cast<std::size_t>(b)];
    for (Index row = b * steps; row < (b + 1) * steps; ++row) {
      T* const y = outputs.row(row);
      const float* const target = targets.reals.row(row);
      if (!targets.asks_reals(row)) {
        if (scale != T(0)) std::fill_n(y, this->outputs(), T(0));
        continue;
      }
      const bool seen = is_seen(target);
      const Mixture mixture(y);
      const double tau = std::max(target[0], std::numeric_limits<float>::min());
      const double lost = time_loss(mixture, tau, seen, scale, y);
      score.loss += lost;
      score.time_loss += lost;
      bool correct = true;
      if (marks_ > 1) {
        const int mark = seen ? targets.classes[row] : -1;
        score.loss +=
            static_cast<double>(cross_entropy(y + 3 * components, marks_, mark, scale, correct));
      }
      if (!seen) continue;
      const double error = mixture.mean() - tau;
      ++score.tokens;
      if (correct) ++score.tokens_correct;
      ++score.numbers;
      score.squared_error += error * error;
      score.absolute_error += std::abs(error);
    }
  });
}

template class EventMixture<float>;
template class EventMixture<double>;

}  // namespace rlt
