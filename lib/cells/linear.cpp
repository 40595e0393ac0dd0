// linear: linear attention without normaliser: sums of outer products.
// Katharopoulos et al. 2020 (arXiv 2006.16236) in the un-normalised form of arXiv 2310.16076 and 2106.06295.
//
// Per head of size d, from the bias-free projection a = W_slow x of the layer's input:
//   q = phi(a^q)   k = phi(a^k)   v = a^v        phi(a) = elu(a) + 1
//   W_t = W_{t-1} + k_t v_t^T                    W (n key, d value), W_0 = 0, n = d
//   y_t = W_t^T q_t
// Backward, G = dL/dW_t, g = dy_t, for t = T..1:
//   dq = W_t g   G += q g^T   dk = G v   dv = G^T k   then through phi
// Options: phi of feature_map.hpp, where n may differ from d; scale = rsqrt: y_t / sqrt(d).
//   normalizer = on: y_t = W_t^T q_t / (z_t . q_t + 1e-5), z_t = sum of k up to t, as in arXiv 2006.16236.
//   z is one more column of W, for a value that is always 1: W^T q = [s ; c], y = s / (c + 1e-5), so that
//   ds = g / (c + 1e-5), dc = -y . ds, and the rest stays as it is.
// departs: nothing from arXiv 2310.16076. No 1/sqrt(d), no sum-normalisation, no denominator by default: the
//   output grows with t. arXiv 2006.16236 divides; the language models of 2106.06295 scale.
// Memory: state n d per head; tape 2 n + d per step and head. The normaliser adds n and d + 2, dpfp and favor
//   up to 2 d + 2 to the tape.
#include "cells/registry.hpp"
#include "mixing/cut.hpp"
#include "mixing/fast_matrix.hpp"
#include "mixing/fast_weight.hpp"
#include "mixing/feature_map.hpp"

namespace rlt {
namespace {

template <typename T>
class LinearRule : public PlainRule<T> {
 public:
  using V = Lanes<T>;

  explicit LinearRule(const CellConfig& config)
      : output_scale(output_scale_of<T>(config)),
        phi_(config),
        d_(config.head_size()),
        n_(phi_.size()),
        normalizes_(config.text("normalizer") == "on"),
        m_(normalizes_ ? d_ + 1 : d_) {
    inputs = 3 * d_;
    outputs = d_;
    sizes_ = {n_, n_, m_, phi_.kept(), phi_.kept(), normalizes_ ? m_ : 0};
    kept = total(sizes_);
  }

  T output_scale;
  Index inputs, outputs, kept;
  std::vector<StatePiece> pieces() const { return {{"W", {n_, m_}}}; }

  void declare(ParameterSet<T>&, std::string_view prefix) { phi_.declare(prefix); }
  void prepare() { phi_.prepare(); }

  void step(const LaneHeads& heads, const V* in, V* w, V* tape, V* y) const {
    const auto [q, k, v, phi_q, phi_k, ratio] = cut<Tape>(tape, sizes_);
    phi_.forward(heads, in, q, phi_q);
    phi_.forward(heads, in + d_, k, phi_k);
    std::copy_n(in + 2 * d_, d_, v);
    if (normalizes_) v[d_] = V(T(1));
    fast_matrix::write_scaled<T>(n_, m_, w, k, V(T(1)), v, w);
    V* const sums = normalizes_ ? ratio : y;
    std::fill_n(sums, m_, V(T(0)));
    fast_matrix::add_read<T>(n_, m_, w, q, sums);
    if (normalizes_) {
      sums[d_] = T(1) / (sums[d_] + T(1e-5));
      for (Index j = 0; j < d_; ++j) y[j] = sums[j] *= sums[d_];
    }
  }

  void replay(const V* tape, V* w) const {
    const Tape<const V> at = cut<Tape>(tape, sizes_);
    fast_matrix::write_scaled<T>(n_, m_, w, at.k, V(T(1)), at.v, w);
  }

  void step_backward(const LaneHeads& heads, const V* tape, V* w, const V* dy, V* dw, V* din,
                     V*) const {
    const auto [q, k, v, phi_q, phi_k, ratio] = cut<Tape>(tape, sizes_);
    V dsums[max_head_size + 1];
    // y = s / (c + 1e-5)
    if (normalizes_) divide_backward(ratio, dy, dsums);
    const V* const g = normalizes_ ? dsums : dy;
    V buffer[2 * max_key_size];
    V dvalue[max_head_size + 1];
    V* const dq = phi_.in_place() ? din : buffer;
    V* const dk = dq + n_;
    V* const dv = normalizes_ ? dvalue : din + 2 * d_;
    // y_t = W_t^T q_t: G
    // W_t = W_{t-1} + k_t v_t^T
    fast_matrix::read_write_backward<T>(n_, m_, dw, q, g, k, v, dv, dk);
    // y_t = W_t^T q_t: dq = W_t g = W_{t-1} g + k (v . g)
    fast_matrix::undo_read_transposed<T>(n_, m_, w, k, v, g, dq);
    V written(T(0));  // v . g
    for (Index j = 0; j < m_; ++j) written = xsimd::fma(v[j], g[j], written);
    for (Index i = 0; i < n_; ++i) dq[i] = xsimd::fma(k[i], written, dq[i]);
    // v = a^v
    if (normalizes_) std::copy_n(dv, d_, din + 2 * d_);
    // k = phi(a^k)
    phi_.backward(heads, k, phi_k, dk, din + d_);
    // q = phi(a^q)
    phi_.backward(heads, q, phi_q, dq, din);
  }

 private:
  template <typename Vector>
  struct Tape {
    Vector *q, *k;          // (n)
    Vector* v;              // (m)
    Vector *phi_q, *phi_k;  // what phi keeps of q and of k
    Vector* ratio;          // with the normaliser: y (d), 1 / (c + 1e-5)
  };

  void divide_backward(const V* ratio, const V* dy, V* dsums) const {
    V overlap(T(0));
    for (Index j = 0; j < d_; ++j) {
      overlap = xsimd::fma(ratio[j], dy[j], overlap);
      dsums[j] = dy[j] * ratio[d_];
    }
    dsums[d_] = -overlap * ratio[d_];
  }

  FeatureMap<T> phi_;
  Index d_;  // values
  Index n_;  // keys
  bool normalizes_;
  Index m_;                     // columns of W: values, and z with the normaliser
  std::array<Index, 6> sizes_;  // of a Tape
};

template <typename T>
using LinearAttention = FastWeightCell<T, LinearRule<T>>;

}  // namespace

CellEntry cells::linear() {
  std::vector<Option> options = feature_options("off");
  options.push_back(scale_option());
  options.push_back({.name = "normalizer",
                     .value = "off",
                     .help = "y_t divided by the sum of phi(k_j) . phi(q_t) over j <= t",
                     .choices = {"off", "on"}});
  return cell_entry<LinearAttention>({
      .name = "linear",
      .summary = "linear attention: un-normalised sums of outer products",
      .source = "Katharopoulos et al. 2020, arXiv 2006.16236; Irie et al. 2023, arXiv 2310.16076",
      .equation = "W_t = W_{t-1} + phi(k_t) v_t^T;  y_t = W_t^T phi(q_t)",
      .block = "prenorm",
      .options = std::move(options),
      .check = check_features,
  });
}

}  // namespace rlt
