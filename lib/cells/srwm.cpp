// srwm: self-referential weight matrix: one matrix that makes outputs, queries, keys and rates, and with
// these rewrites all of itself.
// Irie, Schlag, Csordas, Schmidhuber 2022 (arXiv 2202.05780), in the form of arXiv 2310.16076 (id 12).
//
// Per head of size d, x_t = the head's slice of the layer's raw input. W (d, 3 d + 4) = [W^y W^q W^k W^b]
// starts from trained values:
//   y_t | a^q | a^k | a^b = W_{t-1}^T x_t       (read before the write)
//   q = softmax(a^q)   k = softmax(a^k)   beta = sigmoid(a^b) in R^4, one rate for each part of W
//   D_t = W_{t-1}^T (q - k)                     (the response to the query minus that to the key)
//   W_t = W_{t-1} + k_t (beta D_t)^T            (each part of D times its own rate)
// Backward, G = dL/dW_t, g = dy_t, for t = T..1, with c = beta D:
//   a = G^T k   dk = G c   dD = beta a   dbeta of a part = the part's a . D
//   z = W_{t-1} dD   dq = z   dk -= z   G += (q - k) dD^T
//   dA = (g, daq, dak, dab) through softmax and sigmoid:   dx = W_{t-1} dA   G += x dA^T
// G before the first step is the gradient of the initial W.
// Start: W^y, W^k Normal(0, 1/sqrt(d)); W^q a hundredth of that; W^b mean -1.
// departs: nothing from arXiv 2310.16076, except that heads of fewer than 4 numbers, which break the official
//   kernel, work. arXiv 2202.05780 has phi(x_t) for x_t; its code starts W^q as wide as the others and, but for
//   some few-shot runs, W^b at mean 0.
// Memory: state 3 d^2 + 4 d per head; tape 6 d + 8 per step and head.
#include <cmath>

#include "cells/registry.hpp"
#include "mixing/cut.hpp"
#include "mixing/fast_matrix.hpp"
#include "mixing/fast_weight.hpp"
#include "tensor/activation.hpp"

namespace rlt {
namespace {

template <typename T>
class SrwmRule : public PlainRule<T> {
 public:
  using V = Lanes<T>;
  static constexpr bool projects = false;
  static constexpr bool learns_initial_state = true;

  explicit SrwmRule(const CellConfig& config)
      : d_(config.head_size()),
        heads_(config.heads),
        cols_(3 * d_ + 4),
        sizes_{d_, d_, d_, 4, cols_} {
    inputs = d_;
    outputs = d_;
    kept = total(sizes_);
  }

  Index inputs, outputs, kept;
  std::vector<StatePiece> pieces() const { return {{"W", {d_, cols_}}}; }

  void declare(ParameterSet<T>& parameters, std::string_view prefix) {
    const std::string name(prefix);
    const double deviation = 1 / std::sqrt(static_cast<double>(d_));
    parts_[0] = {&parameters.add(name + ".y", {heads_, d_, d_}, init::normal(deviation)), 0, d_};
    parts_[1] = {&parameters.add(name + ".q", {heads_, d_, d_}, init::normal(0.01 * deviation)), d_,
                 d_};
    parts_[2] = {&parameters.add(name + ".k", {heads_, d_, d_}, init::normal(deviation)), 2 * d_,
                 d_};
    parts_[3] = {&parameters.add(name + ".b", {heads_, d_, 4}, init::normal(deviation, -1)), 3 * d_,
                 4};
  }

  void initial(Index head, V* w) const {
    for (const Part& part : parts_) {
      const T* const value = part.parameter->value + head * d_ * part.cols;
      for (Index e = 0; e < d_; ++e) {
        for (Index m = 0; m < part.cols; ++m) {
          w[e * cols_ + part.first + m] = V(value[e * part.cols + m]);
        }
      }
    }
  }

  void step(const LaneHeads&, const V* in, V* w, V* tape, V* y) const {
    const auto [x, q, k, beta, change] = cut<Tape>(tape, sizes_);
    std::copy_n(in, d_, x);
    V a[max_cols];
    std::fill_n(a, cols_, V(T(0)));
    fast_matrix::add_read<T>(d_, cols_, w, x, a);
    std::copy_n(a, d_, y);
    softmax<T>(a + d_, d_, q);
    softmax<T>(a + 2 * d_, d_, k);
    for (Index i = 0; i < 4; ++i) beta[i] = sigmoid<T>(a[3 * d_ + i]);
    V difference[max_head_size];
    for (Index i = 0; i < d_; ++i) difference[i] = q[i] - k[i];
    V rate[max_cols];
    std::fill_n(change, cols_, V(T(1)));
    scale_parts(beta, change, rate);
    fast_matrix::respond_and_write<T>(d_, cols_, w, difference, k, rate, change);
  }

  void replay(const V* tape, V* w) const {
    const Tape<const V> at = cut<Tape>(tape, sizes_);
    V scaled[max_cols];
    scale_parts(at.beta, at.change, scaled);
    fast_matrix::write_scaled<T>(d_, cols_, w, at.k, V(T(1)), scaled, w);
  }

  void step_backward(const LaneHeads&, const V* tape, V* w, const V* g, V* dw, V* din, V*) const {
    const auto [x, q, k, beta, change] = cut<Tape>(tape, sizes_);
    V scaled[max_cols];  // c = beta D
    scale_parts(beta, change, scaled);
    V dchange[max_cols];  // a = G^T k, then dD = beta a
    V da[max_cols];
    V* const dq = da + d_;
    V* const dk = dq + d_;
    V* const dbeta = dk + d_;
    // W_t = W_{t-1} + k_t (beta D_t)^T
    fast_matrix::read_both<T>(d_, cols_, dw, k, scaled, dchange, dk);
    for (Index i = 0; i < 4; ++i) {
      dbeta[i] = V(T(0));
      for (Index m = parts_[i].first; m < parts_[i].first + parts_[i].cols; ++m) {
        dbeta[i] = xsimd::fma(dchange[m], change[m], dbeta[i]);
      }
    }
    scale_parts(beta, dchange, dchange);
    // D_t = W_{t-1}^T (q - k), after W_{t-1} = W_t - k_t (beta D_t)^T; the change of G comes below
    V difference[max_head_size];
    fast_matrix::undo_read_transposed<T>(d_, cols_, w, k, scaled, dchange, dq);
    for (Index i = 0; i < d_; ++i) {
      difference[i] = q[i] - k[i];
      dk[i] -= dq[i];
    }
    // beta = sigmoid(a^b)
    for (Index i = 0; i < 4; ++i) dbeta[i] *= beta[i] * (T(1) - beta[i]);
    // k = softmax(a^k)
    softmax_backward<T>(k, dk, d_);
    // q = softmax(a^q)
    softmax_backward<T>(q, dq, d_);
    // y_t | a^q | a^k | a^b = W_{t-1}^T x_t
    std::copy_n(g, d_, da);
    fast_matrix::read_transposed_write_two<T>(d_, cols_, w, dw, difference, dchange, x, da, din);
  }

  void backward_initial(Index head, const T* gradient) {
    for (const Part& part : parts_) {
      T* const sum = part.parameter->gradient + head * d_ * part.cols;
      for (Index e = 0; e < d_; ++e) {
        for (Index m = 0; m < part.cols; ++m) {
          sum[e * part.cols + m] += gradient[e * cols_ + part.first + m];
        }
      }
    }
  }

 private:
  static constexpr Index max_cols = 3 * max_head_size + 4;

  template <typename Vector>
  struct Tape {
    Vector *x, *q, *k;  // (d)
    Vector* beta;       // (4)
    Vector* change;     // (3 d + 4) D
  };

  // One of the four parts of W's columns, with its own rate.
  struct Part {
    Parameter<T>* parameter = nullptr;
    Index first = 0;
    Index cols = 0;
  };

  void scale_parts(const V* beta, const V* from, V* to) const {
    for (Index i = 0; i < 4; ++i) {
      for (Index m = parts_[i].first; m < parts_[i].first + parts_[i].cols; ++m) {
        to[m] = beta[i] * from[m];
      }
    }
  }

  Index d_;
  Index heads_;
  Index cols_;
  std::array<Index, 5> sizes_;  // of a Tape
  Part parts_[4];
};

template <typename T>
using Srwm = FastWeightCell<T, SrwmRule<T>>;

}  // namespace

CellEntry cells::srwm() {
  return cell_entry<Srwm>({
      .name = "srwm",
      .summary = "self-referential weight matrix: rewrites all of itself with its own outputs",
      .source = "Irie et al. 2022, arXiv 2202.05780; Irie et al. 2023, arXiv 2310.16076",
      .equation =
          "y, q, k, beta = W_{t-1}^T x_t;  W_t = W_{t-1} + k_t (beta (W_{t-1}^T (q_t - k_t)))^T",
      .block = "skipnorm",
      .options = {},
  });
}

}  // namespace rlt
