// One write and read of a fast weight matrix by the delta rule, and its gradient; shared by deltanet, rdn
// and the other delta cells. All vectors are Lanes<T>: one sequence per lane. W (d key, m value).
#pragma once

#include "mixing/fast_matrix.hpp"
#include "tensor/activation.hpp"

namespace rlt {

/// e = v - W^T k;  W += k (beta e)^T;  y = W^T q, with one pass over W for both reads:
/// the new W^T q is the old one plus (k . q) beta e.
template <typename T>
void delta_step(Index d, Index m, const Lanes<T>* q, const Lanes<T>* k, const Lanes<T>* v,
                const Lanes<T>& beta, Lanes<T>* w, Lanes<T>* e, Lanes<T>* y) {
  fast_matrix::read_two<T>(d, m, w, k, q, e, y);
  Lanes<T> overlap(T(0));
  for (Index i = 0; i < d; ++i) overlap = xsimd::fma(k[i], q[i], overlap);
  overlap *= beta;
  for (Index j = 0; j < m; ++j) {
    e[j] = v[j] - e[j];
    y[j] = xsimd::fma(overlap, e[j], y[j]);
  }
  fast_matrix::write_scaled<T>(d, m, w, k, beta, e, w);
}

/// The write alone, W += k (beta e)^T.
template <typename T>
void delta_replay(Index d, Index m, const Lanes<T>* k, const Lanes<T>* e, const Lanes<T>& beta,
                  Lanes<T>* w) {
  fast_matrix::write_scaled<T>(d, m, w, k, beta, e, w);
}

/// Gradient of delta_step with g = dy. W and G = dL/dW are after the step on entry and before it on
/// return. Overwrites dq, dk (d) and dv (m); returns dL/dbeta.
template <typename T>
Lanes<T> delta_step_backward(Index d, Index m, const Lanes<T>* q, const Lanes<T>* k,
                             const Lanes<T>* e, const Lanes<T>& beta, Lanes<T>* w,
                             const Lanes<T>* g, Lanes<T>* gradient, Lanes<T>* dq, Lanes<T>* dk,
                             Lanes<T>* dv) {
  // y = W_t^T q                        G += q g^T
  // W_t = W_{t-1} + k (beta e)^T       a = G^T k, left in dv   dk = G e
  fast_matrix::read_write_backward<T>(d, m, gradient, q, g, k, e, dv, dk);
  // beta e
  Lanes<T> dbeta(T(0));
  for (Index j = 0; j < m; ++j) {
    dbeta = xsimd::fma(dv[j], e[j], dbeta);
    dv[j] *= beta;
  }
  for (Index i = 0; i < d; ++i) dk[i] *= beta;
  // y = W_t^T q                        dq = W_t g
  // W_t = W_{t-1} + k (beta e)^T       taken back
  // e = v - W_{t-1}^T k                dk -= W_{t-1} dv   G -= k dv^T
  fast_matrix::erase_backward<T>(d, m, w, gradient, k, beta, e, g, dv, dq, dk);
  return dbeta;
}

/// p_i <- p_i / s, s = sum(p) + added; returns s. An s that underflows (elu1 of numbers all below -87 in
/// float) counts as 1e-30, so that p is 0 and not 0/0.
template <typename T>
Lanes<T> sum_normalize(Lanes<T>* p, Index count, T added = T(0)) {
  Lanes<T> sum(added);
  for (Index i = 0; i < count; ++i) sum += p[i];
  sum = xsimd::max(sum, Lanes<T>(T(1e-30)));
  const Lanes<T> scale = T(1) / sum;
  for (Index i = 0; i < count; ++i) p[i] *= scale;
  return sum;
}

/// In place on dp, with p and the sum as sum_normalize left them: dp_i <- (dp_i - p . dp) / sum.
template <typename T>
void sum_normalize_backward(const Lanes<T>* p, const Lanes<T>& sum, Index count, Lanes<T>* dp) {
  // p_i = a_i / s,  s = sum(a) + added
  Lanes<T> mean(T(0));
  for (Index i = 0; i < count; ++i) mean = xsimd::fma(p[i], dp[i], mean);
  const Lanes<T> scale = T(1) / sum;
  for (Index i = 0; i < count; ++i) dp[i] = (dp[i] - mean) * scale;
}

/// p = N(elu1(a)), p_i = elu1(a_i) / (sum + added); returns that sum.
template <typename T>
Lanes<T> sum_normalized_elu1(const Lanes<T>* a, Index d, Lanes<T>* p, T added = T(0)) {
  for (Index i = 0; i < d; ++i) p[i] = elu1<T>(a[i]);
  return sum_normalize<T>(p, d, added);
}

/// In place on dp: da_i = (dp_i - p . dp) / sum * elu1'(a_i), elu1' = min(elu1, 1).
template <typename T>
void sum_normalized_elu1_backward(const Lanes<T>* p, const Lanes<T>& sum, Index d, Lanes<T>* dp) {
  // p = N(elu1(a))
  sum_normalize_backward<T>(p, sum, d, dp);
  // elu1(a), which is p sum
  for (Index i = 0; i < d; ++i) dp[i] *= xsimd::min(p[i] * sum, Lanes<T>(T(1)));
}

}  // namespace rlt
