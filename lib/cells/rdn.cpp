// rdn: recurrent delta network: a DeltaNet whose keys, values, queries and rates also see its last output.
// Irie, Schlag, Csordas, Schmidhuber 2021 (arXiv 2106.06295, section 3.2); official id 7 in arXiv 2310.16076.
//
// Per head of size d, from the bias-free projection a = W_slow x of the layer's input:
//   s_t = tanh(y_{t-1}), y_0 = 0          R (d, 3 d + 1), columns q, k, v, beta
//   q = softmax(a^q + R_q^T s)   k = softmax(a^k + R_k^T s)   v = a^v + R_v^T s
//   beta = sigmoid(a^b + r_b . s)
//   e_t = v_t - W_{t-1}^T k_t;   W_t = W_{t-1} + k_t (beta_t e_t)^T;   y_t = W_t^T q_t
// y is the head's raw output: before the output projection, dropout and residual.
// Backward, r carried from step t + 1, for t = T..1:
//   the delta rule's (see deltanet.cpp) with g = dy_t + r, then through softmax and sigmoid to
//   da = (daq, dak, dav, dab);   dR += s da^T
//   r = (1 - s^2) (R da)
// dR is one product over all steps at the end: s is written out row by row (emitted).
// departs: nothing. R_q, R_k, R_v and r_b, which the official code keeps apart, stand side by side in R.
// Memory: state d^2 + d per head; tape 4 d + 1 per step and head.
#include <cmath>

#include "cells/registry.hpp"
#include "mixing/cut.hpp"
#include "mixing/delta_rule.hpp"
#include "mixing/fast_weight.hpp"

namespace rlt {
namespace {

template <typename T>
class RdnRule : public PlainRule<T> {
 public:
  using V = Lanes<T>;

  explicit RdnRule(const CellConfig& config)
      : d_(config.head_size()), heads_(config.heads), sizes_{d_, d_, d_, d_, 1} {
    inputs = 3 * d_ + 1;
    outputs = d_;
    kept = total(sizes_);
    emitted = d_;
  }

  Index inputs, outputs, kept, emitted;
  std::vector<StatePiece> pieces() const { return {{"W", {d_, d_}}, {"y", {d_}}}; }

  void declare(ParameterSet<T>& parameters, std::string_view prefix) {
    recurrent_ = &parameters.add(std::string(prefix) + ".recurrent", {heads_, d_, inputs},
                                 init::normal(1 / std::sqrt(static_cast<double>(d_))));
  }

  void step(const LaneHeads& heads, V* in, V* w, V* tape, V* out) const {
    const auto [q, k, e, s, beta] = cut<Tape>(tape, sizes_);
    V* const y = w + d_ * d_;
    for (Index i = 0; i < d_; ++i) s[i] = xsimd::tanh(y[i]);
    heads.add_read<max_head_size, T>(d_, inputs, s, in, [&](Index head) { return weights(head); });
    softmax<T>(in, d_, q);
    softmax<T>(in + d_, d_, k);
    *beta = sigmoid<T>(in[3 * d_]);
    delta_step<T>(d_, d_, q, k, in + 2 * d_, *beta, w, e, y);
    std::copy_n(y, d_, out);
  }

  void replay(const V* tape, V* w) const {
    const Tape<const V> at = cut<Tape>(tape, sizes_);
    delta_replay<T>(d_, d_, at.k, at.e, *at.beta, w);
  }

  void step_backward(const LaneHeads& heads, const V* tape, V* w, const V* dout, V* dw, V* din,
                     V* emit) const {
    const auto [q, k, e, s, beta_kept] = cut<Tape>(tape, sizes_);
    const V beta = *beta_kept;
    V* const dy = dw + d_ * d_;  // r of step t + 1 on entry, of step t on return
    V* const dq = din;
    V* const dk = dq + d_;
    V* const dv = dk + d_;
    // y_t is put out, and fed back
    for (Index i = 0; i < d_; ++i) dy[i] += dout[i];
    // y_t = W_t^T q_t
    // W_t = W_{t-1} + k_t (beta_t e_t)^T
    // e_t = v_t - W_{t-1}^T k_t
    const V dbeta = delta_step_backward<T>(d_, d_, q, k, e, beta, w, dy, dw, dq, dk, dv);
    // beta = sigmoid(a^b + r_b . s)
    din[3 * d_] = dbeta * beta * (T(1) - beta);
    // k = softmax(a^k + R_k^T s)
    softmax_backward<T>(k, dk, d_);
    // q = softmax(a^q + R_q^T s)
    softmax_backward<T>(q, dq, d_);
    // a + R^T s, the argument of all four
    std::fill_n(dy, d_, V(T(0)));
    heads.each<3 * max_head_size + 1, T>(din, inputs, [&](Index head, const V* own) {
      fast_matrix::add_read_transposed<T>(d_, inputs, weights(head), own, dy);
    });
    std::copy_n(s, d_, emit);
    // s_t = tanh(y_{t-1})
    for (Index i = 0; i < d_; ++i) dy[i] *= T(1) - s[i] * s[i];
  }

  // a_h + R_h^T s_h, over all steps: dR_h += S_h^T dA_h
  void backward_parameters(Matrix<const T> s, Matrix<const T> da) {
    parallel_for(heads_, [&](Index head, int) {
      gemm_at<T>(s.col_block(head * d_, d_), da.col_block(head * inputs, inputs),
                 {recurrent_->gradient + head * d_ * inputs, d_, inputs}, Write::add);
    });
  }

 private:
  template <typename Vector>
  struct Tape {
    Vector *q, *k, *e, *s;  // (d)
    Vector* beta;
  };

  const T* weights(Index head) const { return recurrent_->value + head * d_ * inputs; }

  Index d_;
  Index heads_;
  std::array<Index, 5> sizes_;         // of a Tape
  Parameter<T>* recurrent_ = nullptr;  // (H, d, 3 d + 1)
};

template <typename T>
using Rdn = FastWeightCell<T, RdnRule<T>>;

}  // namespace

CellEntry cells::rdn() {
  return cell_entry<Rdn>({
      .name = "rdn",
      .summary = "recurrent delta network: a DeltaNet that feeds its output back",
      .source = "Irie et al. 2021, arXiv 2106.06295",
      .equation = "q, k, v, beta see x_t and tanh(y_{t-1});  W_t = W_{t-1} + beta_t k_t (v_t - "
                  "W_{t-1}^T k_t)^T;  y_t = W_t^T q_t",
      .block = "prenorm",
      .options = {},
  });
}

}  // namespace rlt
