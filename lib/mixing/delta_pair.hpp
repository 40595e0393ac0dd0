// What delta_rnn and delta_lstm are built of. DeltaPair: two fast weight matrices that the delta rule writes, W
// read with the query and R with the fed-back state; delta_rnn has one pair, delta_lstm one per gate. Feedback:
// how a head feeds its result back. All vectors are Lanes<T>: one sequence per lane.
#pragma once

#include "mixing/cut.hpp"
#include "mixing/delta_rule.hpp"

namespace rlt {

/// From slow outputs a = [q k v k' v' beta beta'] and the fed-back s (d), W and R (d key, d value):
///   q = f(a^q)   k = f(a^k)   beta = sigmoid(a^beta)      f = softmax, or elu1 divided by its sum
///   W += k (beta e)^T,  e = v - W^T k;    z = W^T q
///   k' = softmax(a^k')   beta' = sigmoid(a^beta')
///   R += k' (beta' e')^T,  e' = v' - R^T k';    r = R^T s
template <typename T>
class DeltaPair {
 public:
  using V = Lanes<T>;
  DeltaPair(Index d, bool softmax_keys)
      : d_(d), softmax_keys_(softmax_keys), sizes_{d, d, d, d, d, 4} {}

  Index inputs() const { return 5 * d_ + 2; }
  Index state() const { return 2 * d_ * d_; }
  Index kept() const { return total(sizes_); }

  // w: W, R (d d each)
  void step(const V* in, const V* s, V* w, V* tape, V* z, V* r) const {
    const auto [q, k, e, k2, e2, beta] = cut<Tape>(tape, sizes_);
    beta[0] = sigmoid<T>(in[5 * d_]);
    beta[1] = sigmoid<T>(in[5 * d_ + 1]);
    beta[2] = feature(in, q);
    beta[3] = feature(in + d_, k);
    softmax<T>(in + 3 * d_, d_, k2);
    delta_step<T>(d_, d_, q, k, in + 2 * d_, beta[0], w, e, z);
    delta_step<T>(d_, d_, s, k2, in + 4 * d_, beta[1], w + d_ * d_, e2, r);
  }

  void replay(const V* tape, V* w) const {
    const Tape<const V> at = cut<Tape>(tape, sizes_);
    delta_replay<T>(d_, d_, at.k, at.e, at.beta[0], w);
    delta_replay<T>(d_, d_, at.k2, at.e2, at.beta[1], w + d_ * d_);
  }

  /// w (W and R) and dw (their gradients) are after the step on entry, before it on return. Overwrites din
  /// and ds (d).
  void step_backward(const V* tape, const V* s, V* w, const V* dz, const V* dr, V* dw, V* din,
                     V* ds) const {
    const auto [q, k, e, k2, e2, beta] = cut<Tape>(tape, sizes_);
    V* const dq = din;
    V* const dk = dq + d_;
    V* const dv = dk + d_;
    V* const dk2 = dv + d_;
    V* const dv2 = dk2 + d_;
    V* const dbeta = dv2 + d_;
    // R += k' (beta' e')^T,  r = R^T s
    dbeta[1] = delta_step_backward<T>(d_, d_, s, k2, e2, beta[1], w + d_ * d_, dr, dw + d_ * d_, ds,
                                      dk2, dv2);
    // k' = softmax(a^k')
    softmax_backward<T>(k2, dk2, d_);
    // W += k (beta e)^T,  z = W^T q
    dbeta[0] = delta_step_backward<T>(d_, d_, q, k, e, beta[0], w, dz, dw, dq, dk, dv);
    // k = f(a^k)
    feature_backward(k, beta[3], dk);
    // q = f(a^q)
    feature_backward(q, beta[2], dq);
    // beta = sigmoid(a^beta),  beta' = sigmoid(a^beta')
    for (Index i = 0; i < 2; ++i) dbeta[i] *= beta[i] * (T(1) - beta[i]);
  }

 private:
  // k2 and e2 are k' and e'.
  template <typename Vector>
  struct Tape {
    Vector *q, *k, *e, *k2, *e2;  // (d each)
    Vector* beta;                 // (4) beta, beta', the sums that f divided by for q and k
  };

  // p = f(a); returns the sum that it divided by where feature_backward needs it.
  V feature(const V* a, V* p) const {
    if (!softmax_keys_) return sum_normalized_elu1<T>(a, d_, p);
    softmax<T>(a, d_, p);
    return V(T(1));
  }
  void feature_backward(const V* p, const V& sum, V* dp) const {
    if (softmax_keys_) {
      softmax_backward<T>(p, dp, d_);
    } else {
      sum_normalized_elu1_backward<T>(p, sum, d_, dp);
    }
  }

  Index d_;
  bool softmax_keys_;
  std::array<Index, 6> sizes_;  // of a Tape
};

/// A head's result y is fed back as s = softmax(y), s_0 = softmax(0). The head puts out y, or s itself where
/// the softmax is on the output.
template <typename T>
class Feedback {
 public:
  using V = Lanes<T>;

  Feedback(Index d, bool softmax_output) : d_(d), softmax_output_(softmax_output) {}

  void initial(V* s) const { std::fill_n(s, d_, V(T(1) / static_cast<T>(d_))); }

  void step(const V* y, V* s, V* out) const {
    softmax<T>(y, d_, s);
    std::copy_n(softmax_output_ ? s : y, d_, out);
  }

  /// Overwrites dy.
  void step_backward(const V* s, const V* ds, const V* dout, V* dy) const {
    std::copy_n(ds, d_, dy);
    // out = s
    if (softmax_output_) add(dout, dy);
    // s = softmax(y)
    softmax_backward<T>(s, dy, d_);
    // out = y
    if (!softmax_output_) add(dout, dy);
  }

 private:
  void add(const V* dout, V* dy) const {
    for (Index i = 0; i < d_; ++i) dy[i] += dout[i];
  }

  Index d_;
  bool softmax_output_;
};

}  // namespace rlt
