// rdn: recurrent delta network: a DeltaNet whose keys, values, queries and rates also see its last output.
// Irie, Schlag, Csordas, Schmidhuber 2021 (arXiv 2106.06295, section 3.2); official id 7 in arXiv 2310.16076.
//
// Per head of size d, from the bias-free projection a = W_slow x of the layer's input:
//   s_t = tanh(y_{t-1}), y_0 = 0          R (d, 3 d + 1), columns q, k, v, beta
//   q = softmax(a^q + R_q^T s)   k = softmax(a^k + R_k^T s)   v = a^v + R_v^T s
//   beta = sigmoid(a^b + r_b . s)
//   e_t = v_t - W_{t-1}^T k_t;   W_t = W_{t-1} + k_t (beta_t e_t)^T;   y_t = W_t^T q_t
// y is the head's raw output: before the output projection, dropout and residual.
// Backward: the delta rule's (see deltanet.cpp) with g = dy_t + r_t, then
//   through softmax and sigmoid to da = (daq, dak, dav, dab);   dR += s da^T
//   r_{t-1} = (1 - s^2) (R da)
// dR is one product over all steps at the end: s is written out row by row (emitted).
// Memory: state d^2 + d per head; tape 4 d + 1 per step and head.
#include "cells/delta_rule.hpp"
#include "cells/fast_weight.hpp"

namespace rlt {
namespace {

template <typename T>
class RdnRule : public PlainRule<T> {
 public:
  using V = Lanes<T>;

  explicit RdnRule(const CellConfig& config)
      : inputs(3 * config.head_size() + 1),
        state(config.head_size() * (config.head_size() + 1)),
        kept(4 * config.head_size() + 1),
        emitted(config.head_size()),
        d_(config.head_size()),
        heads_(config.heads) {}

  const Index inputs, state, kept, emitted;

  void declare(ParameterSet<T>& parameters, std::string_view prefix) {
    recurrent_ = &parameters.add(std::string(prefix) + ".recurrent", {heads_, d_, inputs},
                                 Init::normal(default_width(d_)));
  }
  void initial(Index, V* w) const { std::fill_n(w, state, V(T(0))); }

  // state: W (d d), y (d). kept: q, k, e, s (d each), beta
  void step(Index head, V* in, V* w, V* tape, V* out) const {
    V* const q = tape;
    V* const k = q + d_;
    V* const e = k + d_;
    V* const s = e + d_;
    V* const y = w + d_ * d_;
    for (Index i = 0; i < d_; ++i) s[i] = xsimd::tanh(y[i]);
    fast_matrix::add_read<T>(d_, inputs, weights(head), s, in);
    softmax<T>(in, d_, q);
    softmax<T>(in + d_, d_, k);
    s[d_] = sigmoid<T>(in[3 * d_]);
    delta_step<T>(d_, d_, q, k, in + 2 * d_, s[d_], w, e, y);
    std::copy_n(y, d_, out);
  }

  void replay(const V* tape, V* w) const {
    delta_replay<T>(d_, d_, tape + d_, tape + 2 * d_, tape[4 * d_], w);
  }

  void step_backward(Index head, const V* tape, V* w, const V* dout, V* dw, V* din, V* emit) const {
    const V* const q = tape;
    const V* const k = q + d_;
    const V* const e = k + d_;
    const V* const s = e + d_;
    const V beta = s[d_];
    V* const dy = dw + d_ * d_;  // r_t on entry, r_{t-1} on return
    for (Index i = 0; i < d_; ++i) dy[i] += dout[i];
    V* const dq = din;
    V* const dk = dq + d_;
    V* const dv = dk + d_;
    const V dbeta = delta_step_backward<T>(d_, d_, q, k, e, beta, w, dy, dw, dq, dk, dv);
    softmax_backward<T>(q, dq, d_);
    softmax_backward<T>(k, dk, d_);
    din[3 * d_] = dbeta * beta * (T(1) - beta);
    std::fill_n(dy, d_, V(T(0)));
    fast_matrix::add_read_transposed<T>(d_, inputs, weights(head), din, dy);
    for (Index i = 0; i < d_; ++i) dy[i] *= T(1) - s[i] * s[i];
    std::copy_n(s, d_, emit);
  }

  // dR_h += S_h^T dA_h over all steps
  void backward_parameters(Extent, Matrix<const T> s, Matrix<const T> da) {
    parallel_for(heads_, [&](Index head, int) {
      gemm_at<T>(s.col_block(head * d_, d_), da.col_block(head * inputs, inputs),
                 {recurrent_->gradient + head * d_ * inputs, d_, inputs}, Write::add);
    });
  }

 private:
  const T* weights(Index head) const { return recurrent_->value + head * d_ * inputs; }

  Index d_;
  Index heads_;
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
      .wrapping = Wrapping::prenorm,
      .options = {},
  });
}

}  // namespace rlt
