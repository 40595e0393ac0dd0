// delta_mlp: a fast network of two layers in every head, each layer rewritten by the delta rule.
// Irie, Schlag, Csordas, Schmidhuber 2021 (arXiv 2106.06295): Delta MLP.
//
// Per head of size d, inner width f = 4 d, K stages (depth) of two fast layers. The bias-free projection
// a = W_slow x gives a query a^q (d) and for each stage keys a^k1 (d), a^k2 (f), values v1 (f), v2 (d) and
// rates b1, b2:
//   k_i = N(phi(a^ki))   beta_i = sigmoid(b_i)   phi(a) = elu(a) + 1   N(p) = p / (sum(p) + 1e-5)
//   q^0 = a^q, raw; for stage = 1 .. K, with q = q^{stage-1}:
//     p1 = N(phi(LN(q)))   h = DR_1(p1)          W1 (d key, f value)
//     p2 = N(phi(h))       q^stage = q + DR_2(p2)     W2 (f key, d value)
//   DR_i(p), the delta rule: e = v_i - W_{t-1}^T k_i;  W_t = W_{t-1} + k_i (beta_i e)^T;  returns W_t^T p
//   y_t = q^K, before the output projection
// LN normalises over the d numbers of a head (epsilon 1e-5); its gain and bias, one pair per stage and shared
// by the heads, are slow weights, trained with the rest. Inside the cell q goes round LN, not through it.
// Backward, for stage = K .. 1, with dq = dq^stage:
//   dp2, dk2, dv2, dbeta2 = the delta rule's (see deltanet.cpp) for g = dq;   dh = dp2 through N and phi
//   dp1, dk1, dv1, dbeta1 = the same for g = dh;   dn = dp1 through N and phi
//   dgain += dn (q - mean) r   dbias += dn          r = 1 / sqrt(variance + 1e-5)
//   dq += dn through LN
// departs: the official code projects to twice as many keys and values as it reads; the dead half is left
//   out. Its layer carries LN(h) instead of h in the residual around the cell. Its weights start at
//   Normal(0, 0.02) and gains at Normal(1, 0.02), ours as torch starts them. scale=rsqrt is ours.
//   Columns of W_slow: here, in each head, q and then stage by stage k1, v1, k2, v2, b1, b2; the official ones
//   have q of all heads, then keys and values of each head, then the rates of each head.
// Memory: state 8 d^2 K per head; tape (16 d + 7) K per step and head.
#include <fmt/format.h>

#include "cells/registry.hpp"
#include "mixing/cut.hpp"
#include "mixing/delta_rule.hpp"
#include "mixing/fast_weight.hpp"

namespace rlt {
namespace {

template <typename T>
class DeltaMlpRule : public PlainRule<T> {
 public:
  using V = Lanes<T>;

  explicit DeltaMlpRule(const CellConfig& config)
      : output_scale(output_scale_of<T>(config)),
        d_(config.head_size()),
        f_(4 * d_),
        heads_(config.heads),
        depth_(config.count("depth")),
        sizes_{d_, d_, d_, f_, f_, f_, d_, scalars} {
    inputs = d_ + depth_ * stage_inputs();
    outputs = d_;
    kept = depth_ * total(sizes_);
    emitted = depth_ * 2 * d_;
  }

  T output_scale;
  Index inputs, outputs, kept, emitted;
  std::vector<StatePiece> pieces() const {
    std::vector<StatePiece> pieces;
    for (Index stage = 0; stage < depth_; ++stage) {
      pieces.push_back({fmt::format("W1.{}", stage), {d_, f_}});
      pieces.push_back({fmt::format("W2.{}", stage), {f_, d_}});
    }
    return pieces;
  }

  void declare(ParameterSet<T>& parameters, std::string_view prefix) {
    for (Index stage = 0; stage < depth_; ++stage) {
      const std::string name = std::string(prefix) + ".norm." + std::to_string(stage);
      norms_[stage] = {&parameters.add(name + ".gain", {d_}, init::constant(1)),
                       &parameters.add(name + ".bias", {d_}, init::constant(0))};
    }
  }

  // in: q (d), then for each stage k1 (d), v1 (f), k2 (f), v2 (d), b1, b2
  void step(const LaneHeads&, const V* in, V* w, V* kept_vectors, V* q) const {
    std::copy_n(in, d_, q);
    V h[max_inner];
    V scaled[max_head_size];
    V change[max_head_size];
    for (Index stage = 0; stage < depth_; ++stage) {
      const Tape<V> tape = tape_at(kept_vectors, stage);
      const V* const k1 = in + d_ + stage * stage_inputs();
      const V* const v1 = k1 + d_;
      const V* const k2 = v1 + f_;
      const V* const v2 = k2 + f_;
      const V* const b = v2 + d_;
      V* const w1 = w + stage * 2 * d_ * f_;
      V* const w2 = w1 + d_ * f_;
      tape.scalar[beta1] = sigmoid(b[0]);
      tape.scalar[beta2] = sigmoid(b[1]);
      tape.scalar[inverse_deviation] = normalize(q, tape.normal);
      affine(stage, tape.normal, scaled);
      tape.scalar[sum_p1] = sum_normalized_elu1<T>(scaled, d_, tape.p1, added);
      tape.scalar[sum_k1] = sum_normalized_elu1<T>(k1, d_, tape.k1, added);
      delta_step<T>(d_, f_, tape.p1, tape.k1, v1, tape.scalar[beta1], w1, tape.e1, h);
      tape.scalar[sum_p2] = sum_normalized_elu1<T>(h, f_, tape.p2, added);
      tape.scalar[sum_k2] = sum_normalized_elu1<T>(k2, f_, tape.k2, added);
      delta_step<T>(f_, d_, tape.p2, tape.k2, v2, tape.scalar[beta2], w2, tape.e2, change);
      for (Index i = 0; i < d_; ++i) q[i] += change[i];
    }
  }

  void replay(const V* kept_vectors, V* w) const {
    for (Index stage = 0; stage < depth_; ++stage) {
      const Tape<const V> tape = tape_at(kept_vectors, stage);
      const Index first = stage * 2 * d_ * f_;
      const Index second = first + d_ * f_;
      delta_replay<T>(d_, f_, tape.k1, tape.e1, tape.scalar[beta1], w + first);
      delta_replay<T>(f_, d_, tape.k2, tape.e2, tape.scalar[beta2], w + second);
    }
  }

  void step_backward(const LaneHeads&, const V* kept_vectors, V* w, const V* dout, V* dw, V* din,
                     V* emit) const {
    V dp1[max_head_size];
    V dp2[max_inner];
    V* const dq = din;
    std::copy_n(dout, d_, dq);
    for (Index stage = depth_ - 1; stage >= 0; --stage) {
      const Tape<const V> tape = tape_at(kept_vectors, stage);
      V* const dk1 = din + d_ + stage * stage_inputs();
      V* const dv1 = dk1 + d_;
      V* const dk2 = dv1 + f_;
      V* const dv2 = dk2 + f_;
      V* const db = dv2 + d_;
      const Index first = stage * 2 * d_ * f_;
      const Index second = first + d_ * f_;
      const V rate1 = tape.scalar[beta1];
      const V rate2 = tape.scalar[beta2];
      // q^stage = q + DR_2(p2)
      db[1] = delta_step_backward<T>(f_, d_, tape.p2, tape.k2, tape.e2, rate2, w + second, dq,
                                     dw + second, dp2, dk2, dv2);
      // k_2 = N(phi(a^k2))
      sum_normalized_elu1_backward<T>(tape.k2, tape.scalar[sum_k2], f_, dk2);
      // p2 = N(phi(h))
      sum_normalized_elu1_backward<T>(tape.p2, tape.scalar[sum_p2], f_, dp2);
      // h = DR_1(p1)
      db[0] = delta_step_backward<T>(d_, f_, tape.p1, tape.k1, tape.e1, rate1, w + first, dp2,
                                     dw + first, dp1, dk1, dv1);
      // k_1 = N(phi(a^k1))
      sum_normalized_elu1_backward<T>(tape.k1, tape.scalar[sum_k1], d_, dk1);
      // p1 = N(phi(LN(q)))
      sum_normalized_elu1_backward<T>(tape.p1, tape.scalar[sum_p1], d_, dp1);
      // LN(q) = gain n + bias
      affine_backward(stage, tape.normal, dp1, emit + stage * 2 * d_);
      // n = (q - mean) r
      add_normalize_backward(tape.normal, tape.scalar[inverse_deviation], dp1, dq);
      // beta_i = sigmoid(b_i)
      db[0] *= rate1 * (T(1) - rate1);
      db[1] *= rate2 * (T(1) - rate2);
    }
  }

  // emitted: for each stage the gradients of gain and bias, one row per step with the heads side by side
  void backward_parameters(Matrix<const T> gradients, Matrix<const T>) {
    parallel_for(depth_, [&](Index stage, int) {
      for (Index head = 0; head < heads_; ++head) {
        const Index first = head * emitted + stage * 2 * d_;
        add_column_sums<T>(gradients.col_block(first, d_), norms_[stage].gain->gradient);
        add_column_sums<T>(gradients.col_block(first + d_, d_), norms_[stage].bias->gradient);
      }
    });
  }

 private:
  static constexpr Index max_depth = 4;
  static constexpr Index max_inner = 4 * max_head_size;
  static constexpr T added = T(1e-5);

  enum Scalar { beta1, beta2, inverse_deviation, sum_p1, sum_k1, sum_p2, sum_k2, scalars };

  // What one stage keeps of a step; `Vector` is V or const V.
  template <typename Vector>
  struct Tape {
    Vector* normal;        // (d) n = (q - mean) r
    Vector *p1, *k1, *e1;  // (d, d, f)
    Vector *p2, *k2, *e2;  // (f, f, d)
    Vector* scalar;
  };

  struct Norm {
    Parameter<T>* gain = nullptr;
    Parameter<T>* bias = nullptr;
  };

  Index stage_inputs() const { return 2 * d_ + 2 * f_ + 2; }

  template <typename Vector>
  Tape<Vector> tape_at(Vector* kept_vectors, Index stage) const {
    return cut<Tape>(kept_vectors + stage * total(sizes_), sizes_);
  }

  // n = (q - mean) r; returns r = 1 / sqrt(variance + 1e-5)
  V normalize(const V* q, V* n) const {
    V mean(T(0));
    for (Index i = 0; i < d_; ++i) mean += q[i];
    mean /= static_cast<T>(d_);
    V variance(T(0));
    for (Index i = 0; i < d_; ++i) {
      n[i] = q[i] - mean;
      variance = xsimd::fma(n[i], n[i], variance);
    }
    const V r = T(1) / xsimd::sqrt(variance / static_cast<T>(d_) + T(1e-5));
    for (Index i = 0; i < d_; ++i) n[i] *= r;
    return r;
  }

  // dq += r (dn - mean(dn) - n mean(dn n))
  void add_normalize_backward(const V* n, const V& r, const V* dn, V* dq) const {
    V mean(T(0));
    V overlap(T(0));
    for (Index i = 0; i < d_; ++i) {
      mean += dn[i];
      overlap = xsimd::fma(dn[i], n[i], overlap);
    }
    mean /= static_cast<T>(d_);
    overlap /= static_cast<T>(d_);
    for (Index i = 0; i < d_; ++i) dq[i] += r * (dn[i] - mean - n[i] * overlap);
  }

  // y = gain n + bias
  void affine(Index stage, const V* n, V* y) const {
    const T* const gain = norms_[stage].gain->value;
    const T* const bias = norms_[stage].bias->value;
    for (Index i = 0; i < d_; ++i) y[i] = xsimd::fma(n[i], V(gain[i]), V(bias[i]));
  }

  // dy <- dn in place; the gradients of gain and bias to `gradients`
  void affine_backward(Index stage, const V* n, V* dy, V* gradients) const {
    const T* const gain = norms_[stage].gain->value;
    for (Index i = 0; i < d_; ++i) {
      gradients[i] = dy[i] * n[i];
      gradients[d_ + i] = dy[i];
      dy[i] *= gain[i];
    }
  }

  Index d_;
  Index f_;
  Index heads_;
  Index depth_;
  std::array<Index, 8> sizes_;  // of a Tape
  Norm norms_[max_depth];
};

template <typename T>
using DeltaMlp = FastWeightCell<T, DeltaMlpRule<T>>;

}  // namespace

CellEntry cells::delta_mlp() {
  return cell_entry<DeltaMlp>({
      .name = "delta_mlp",
      .summary = "two-layer fast network in every head, both layers rewritten by the delta rule",
      .source = "Irie et al. 2021, arXiv 2106.06295",
      .equation = "h = W1_t^T N(phi(LN(q_t)));  y_t = q_t + W2_t^T N(phi(h));  "
                  "W_t = W_{t-1} + beta_t k_t (v_t - W_{t-1}^T k_t)^T for W1 and W2",
      .block = "prenorm",
      .options = {{.name = "depth",
                   .value = "1",
                   .help = "stages of two fast layers, one after the other",
                   .choices = {},
                   .low = 1,
                   .high = 4,
                   .whole = true},
                  scale_option()},
  });
}

}  // namespace rlt
