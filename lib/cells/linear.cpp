// linear: linear attention without normaliser: sums of outer products.
// Katharopoulos et al. 2020 (arXiv 2006.16236) in the un-normalised form of arXiv 2310.16076 and 2106.06295.
//
// Per head of size d, from the bias-free projection a = W_slow x of the layer's input:
//   q = phi(a^q)   k = phi(a^k)   v = a^v        phi(a) = elu(a) + 1
//   W_t = W_{t-1} + k_t v_t^T                    W (d key, d value), W_0 = 0
//   y_t = W_t^T q_t
// Backward, G = dL/dW_t, g = dy_t, for t = T..1:
//   dq = W_t g   G += q g^T   dk = G v   dv = G^T k   then through phi: phi' = min(phi, 1)
// departs: nothing. No 1/sqrt(d), no sum-normalisation, no denominator: the output grows with t.
// Memory: state d^2 per head; tape 3 d per step and head.
#include "cells/fast_matrix.hpp"
#include "cells/fast_weight.hpp"
#include "tensor/activation.hpp"

namespace rlt {
namespace {

template <typename T>
class LinearRule : public PlainRule<T> {
 public:
  using V = Lanes<T>;

  explicit LinearRule(const CellConfig& config)
      : inputs(3 * config.head_size()),
        state(config.head_size() * config.head_size()),
        kept(3 * config.head_size()),
        d_(config.head_size()) {}

  const Index inputs, state, kept;

  void initial(Index, V* w) const { std::fill_n(w, state, V(T(0))); }

  // kept: q (d), k (d), v (d)
  void step(Index, const V* in, V* w, V* tape, V* y) const {
    V* const q = tape;
    V* const k = q + d_;
    V* const v = k + d_;
    for (Index i = 0; i < 2 * d_; ++i) tape[i] = elu1<T>(in[i]);
    std::copy_n(in + 2 * d_, d_, v);
    fast_matrix::write_scaled<T>(d_, d_, w, k, V(T(1)), v, w);
    std::fill_n(y, d_, V(T(0)));
    fast_matrix::add_read<T>(d_, d_, w, q, y);
  }

  void replay(const V* tape, V* w) const {
    fast_matrix::write_scaled<T>(d_, d_, w, tape + d_, V(T(1)), tape + 2 * d_, w);
  }

  void step_backward(Index, const V* tape, V* w, const V* g, V* dw, V* din, V*) const {
    const V* const q = tape;
    const V* const k = q + d_;
    const V* const v = k + d_;
    V* const dq = din;
    V* const dk = dq + d_;
    V* const dv = dk + d_;
    fast_matrix::read_write_backward<T>(d_, d_, dw, q, g, k, v, dv, dk);
    fast_matrix::undo_read_transposed<T>(d_, d_, w, k, v, g, dq);
    V written(T(0));  // v . g, for W_t g = W_{t-1} g + k (v . g)
    for (Index j = 0; j < d_; ++j) written = xsimd::fma(v[j], g[j], written);
    for (Index i = 0; i < d_; ++i) dq[i] = xsimd::fma(k[i], written, dq[i]);
    for (Index i = 0; i < d_; ++i) {
      dq[i] *= xsimd::min(q[i], V(T(1)));
      dk[i] *= xsimd::min(k[i], V(T(1)));
    }
  }

 private:
  Index d_;
};

template <typename T>
using LinearAttention = FastWeightCell<T, LinearRule<T>>;

}  // namespace

CellEntry cells::linear() {
  return cell_entry<LinearAttention>({
      .name = "linear",
      .summary = "linear attention: un-normalised sums of outer products",
      .source = "Katharopoulos et al. 2020, arXiv 2006.16236; Irie et al. 2023, arXiv 2310.16076",
      .equation = "W_t = W_{t-1} + phi(k_t) v_t^T;  y_t = W_t^T phi(q_t)",
      .wrapping = Wrapping::prenorm,
      .options = {},
  });
}

}  // namespace rlt
