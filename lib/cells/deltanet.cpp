// deltanet: linear attention that writes by the delta rule.
// Schlag, Irie, Schmidhuber 2021 (arXiv 2102.11174); as used in arXiv 2310.16076 and 2106.06295.
//
// Per head of size d, from the bias-free projection a = W_slow x of the layer's input:
//   q = N(phi(a^q))   k = N(phi(a^k))   v = a^v   beta = beta_max sigmoid(a^b)
//   phi(a) = elu(a) + 1   N(p) = p / sum(p)   beta_max = 1
//   e_t = v_t - W_{t-1}^T k_t              W (n key, d value), W_0 = 0, n = d
//   W_t = W_{t-1} + k_t (beta_t e_t)^T
//   y_t = W_t^T q_t
// Backward, G = dL/dW_t, g = dy_t, for t = T..1:
//   dq = W_t g   G += q g^T   a = G^T k   dk = G (beta e)   dv = beta a   dbeta = a . e
//   dk -= W_{t-1} dv   G -= k dv^T         then through N, phi and the sigmoid
// Options: phi and N of feature_map.hpp, where n may differ from d; scale = rsqrt: y_t / sqrt(d), as in the
//   language models of arXiv 2106.06295. Without N (sum_normalize = off) the eigenvalue 1 - beta |k|^2 falls
//   below -1 where |k|^2 > 2 / beta, and the state grows exponentially: expect elu1 and dpfp to diverge.
// departs: beta_max up to 2 (option) makes the transition's eigenvalue 1 - beta |k|^2 negative for peaked
//   keys (Grazzi et al. 2024, arXiv 2411.12537); the paper has beta_max = 1. A sum(p) that underflows counts as
//   1e-30, so that k is 0; the official code divides 0 by 0.
// Memory: state n d per head; tape 2 n + d + 3 per step and head, up to 2 d more for dpfp and favor.
#include "cells/registry.hpp"
#include "mixing/cut.hpp"
#include "mixing/delta_rule.hpp"
#include "mixing/fast_weight.hpp"
#include "mixing/feature_map.hpp"

namespace rlt {
namespace {

template <typename T>
class DeltaNetRule : public PlainRule<T> {
 public:
  using V = Lanes<T>;

  explicit DeltaNetRule(const CellConfig& config)
      : output_scale(output_scale_of<T>(config)),
        phi_(config),
        d_(config.head_size()),
        n_(phi_.size()),
        beta_max_(static_cast<T>(config.number("beta_max"))) {
    inputs = 3 * d_ + 1;
    outputs = d_;
    sizes_ = {n_, n_, d_, 1, phi_.kept(), phi_.kept()};
    kept = total(sizes_);
  }

  T output_scale;
  Index inputs, outputs, kept;
  std::vector<StatePiece> pieces() const { return {{"W", {n_, d_}}}; }

  void declare(ParameterSet<T>&, std::string_view prefix) { phi_.declare(prefix); }
  void prepare() { phi_.prepare(); }

  void step(const LaneHeads& heads, const V* in, V* w, V* tape, V* y) const {
    const auto [q, k, e, beta, phi_q, phi_k] = cut<Tape>(tape, sizes_);
    phi_.forward(heads, in, q, phi_q);
    phi_.forward(heads, in + d_, k, phi_k);
    *beta = beta_max_ * sigmoid(in[3 * d_]);
    delta_step(n_, d_, q, k, in + 2 * d_, *beta, w, e, y);
  }

  void replay(const V* tape, V* w) const {
    const Tape<const V> at = cut<Tape>(tape, sizes_);
    delta_replay<T>(n_, d_, at.k, at.e, *at.beta, w);
  }

  void step_backward(const LaneHeads& heads, const V* tape, V* w, const V* dy, V* dw, V* din,
                     V*) const {
    const auto [q, k, e, beta_kept, phi_q, phi_k] = cut<Tape>(tape, sizes_);
    const V beta = *beta_kept;
    V buffer[2 * max_key_size];
    V* const dq = phi_.in_place() ? din : buffer;
    V* const dk = dq + n_;
    V* const dv = din + 2 * d_;
    // y_t = W_t^T q_t
    // W_t = W_{t-1} + k_t (beta_t e_t)^T
    // e_t = v_t - W_{t-1}^T k_t
    const V dbeta = delta_step_backward(n_, d_, q, k, e, beta, w, dy, dw, dq, dk, dv);
    // beta = beta_max sigmoid(a^b)
    din[3 * d_] = dbeta * beta * (T(1) - beta / beta_max_);
    // k = N(phi(a^k))
    phi_.backward(heads, k, phi_k, dk, din + d_);
    // q = N(phi(a^q))
    phi_.backward(heads, q, phi_q, dq, din);
  }

 private:
  template <typename Vector>
  struct Tape {
    Vector *q, *k;  // (n)
    Vector* e;      // (d)
    Vector* beta;
    Vector *phi_q, *phi_k;  // what phi keeps of q and of k
  };

  FeatureMap<T> phi_;
  Index d_;  // values
  Index n_;  // keys
  T beta_max_;
  std::array<Index, 6> sizes_;  // of a Tape
};

template <typename T>
using DeltaNet = FastWeightCell<T, DeltaNetRule<T>>;

}  // namespace

CellEntry cells::deltanet() {
  std::vector<Option> options = feature_options("on");
  options.push_back(scale_option());
  options.push_back({.name = "beta_max",
                     .value = "1",
                     .help = "upper end of the write strength; 2 allows negative eigenvalues",
                     .choices = {},
                     .low = 0.001,
                     .high = 2});
  return cell_entry<DeltaNet>({
      .name = "deltanet",
      .summary = "linear attention that corrects what it stored (delta rule)",
      .source = "Schlag et al. 2021, arXiv 2102.11174; Irie et al. 2023, arXiv 2310.16076",
      .equation = "W_t = W_{t-1} + beta_t k_t (v_t - W_{t-1}^T k_t)^T;  y_t = W_t^T q_t",
      .block = "prenorm",
      .options = std::move(options),
      .check = check_features,
  });
}

}  // namespace rlt
