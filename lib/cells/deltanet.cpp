// deltanet: linear attention that writes by the delta rule.
// Schlag, Irie, Schmidhuber 2021 (arXiv 2102.11174); as used in arXiv 2310.16076 and 2106.06295.
//
// Per head of size d, from the bias-free projection a = W_slow x of the layer's input:
//   q = N(phi(a^q))   k = N(phi(a^k))   v = a^v   beta = beta_max sigmoid(a^b)
//   phi(a) = elu(a) + 1   N(p) = p / sum(p)   beta_max = 1
//   e_t = v_t - W_{t-1}^T k_t              W (d key, d value), W_0 = 0
//   W_t = W_{t-1} + k_t (beta_t e_t)^T
//   y_t = W_t^T q_t
// Backward, G = dL/dW_t, g = dy_t, u = beta e, for t = T..1:
//   dq = W_t g   G += q g^T   a = G^T k   dk = G u   dv = beta a   dbeta = a . e
//   dk -= W_{t-1} dv   G -= k dv^T         then through N, phi and the sigmoid
// departs: beta_max up to 2 (option) makes the transition's eigenvalue 1 - beta |k|^2 negative for peaked
//   keys (Grazzi et al. 2024, arXiv 2411.12537); the paper has beta_max = 1.
// Memory: state d^2 per head; tape 3 d + 3 per step and head.
#include "cells/delta_rule.hpp"
#include "cells/fast_weight.hpp"

namespace rlt {
namespace {

template <typename T>
class DeltaNetRule : public PlainRule<T> {
 public:
  using V = Lanes<T>;

  explicit DeltaNetRule(const CellConfig& config)
      : inputs(3 * config.head_size() + 1),
        state(config.head_size() * config.head_size()),
        kept(3 * config.head_size() + 3),
        d_(config.head_size()),
        beta_max_(static_cast<T>(config.number("beta_max"))) {}

  const Index inputs, state, kept;

  void initial(Index, V* w) const { std::fill_n(w, state, V(T(0))); }

  // kept: q (d), k (d), e (d), beta, the sums that N divided by for q and k
  void step(Index, const V* in, V* w, V* tape, V* y) const {
    V* const q = tape;
    V* const k = q + d_;
    V* const e = k + d_;
    V& beta = e[d_];
    e[d_ + 1] = sum_normalized_elu1(in, d_, q);
    e[d_ + 2] = sum_normalized_elu1(in + d_, d_, k);
    beta = beta_max_ * sigmoid(in[3 * d_]);
    delta_step(d_, d_, q, k, in + 2 * d_, beta, w, e, y);
  }

  void replay(const V* tape, V* w) const {
    const V* const k = tape + d_;
    const V* const e = k + d_;
    delta_replay<T>(d_, d_, k, e, e[d_], w);
  }

  void step_backward(Index, const V* tape, V* w, const V* dy, V* dw, V* din, V*) const {
    const V* const q = tape;
    const V* const k = q + d_;
    const V* const e = k + d_;
    const V beta = e[d_];
    V* const dq = din;
    V* const dk = dq + d_;
    V* const dv = dk + d_;
    const V dbeta = delta_step_backward(d_, d_, q, k, e, beta, w, dy, dw, dq, dk, dv);
    sum_normalized_elu1_backward(q, e[d_ + 1], d_, dq);
    sum_normalized_elu1_backward(k, e[d_ + 2], d_, dk);
    din[3 * d_] = dbeta * beta * (T(1) - beta / beta_max_);
  }

 private:
  Index d_;
  T beta_max_;
};

template <typename T>
using DeltaNet = FastWeightCell<T, DeltaNetRule<T>>;

}  // namespace

CellEntry cells::deltanet() {
  return cell_entry<DeltaNet>({
      .name = "deltanet",
      .summary = "linear attention that corrects what it stored (delta rule)",
      .source = "Schlag et al. 2021, arXiv 2102.11174; Irie et al. 2023, arXiv 2310.16076",
      .equation = "W_t = W_{t-1} + beta_t k_t (v_t - W_{t-1}^T k_t)^T;  y_t = W_t^T q_t",
      .wrapping = Wrapping::prenorm,
      .options = {{.name = "beta_max",
                   .value = "1",
                   .help = "upper end of the write strength; 2 allows negative eigenvalues",
                   .choices = {},
                   .low = 0.001,
                   .high = 2}},
  });
}

}  // namespace rlt
