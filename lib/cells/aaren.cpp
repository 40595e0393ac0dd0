// aaren: softmax attention asked by one learned token, the same at every step: a weighted mean of the past in constant
// memory. Feng et al. 2024 (arXiv 2405.13956); no official code is known.
//
// x (B,T,D) -> y (B,T,D), query token q0 (D), per head of size d = D / H, tau = 1 / sqrt(d):
//   q = q0 W_q + b_q
//   s_t = tau q . (x_t W_k + b_k) = x_t A + c      A = tau W_k q (D, H)     c = tau q . b_k (H)
//   v_t = x_t W_v + b_v
//   o_t = sum_{i <= t} softmax_i(s_1 .. s_t) v_i      y = o W_out + b_out
// Backward of o: prefix_attention.hpp; then, sums over all rows of the pass, dA = sum x_t ds_t, dc = sum ds_t:
//   dW_k = tau dA q^T     db_k = tau dc q     dq = tau (W_k^T dA + dc b_k)
//   dW_q = q0 dq^T        db_q = dq           dq0 = W_q dq              (each head its columns of W_k, b_k, q)
// A is made once per pass, so that no key is ever computed: D^2 multiplications per token less, both ways. v and s are
// one product with [W_v | A]. b_k shifts all scores of a head alike: it acts only on how much a carried state weighs,
// and its gradient is exactly 0 where none is carried.
// One layer sees its past as a set; order comes from positions or from the layer below.
// [W_q W_k W_v] is Xavier-uniform over (D, 3 D) and W_out U(+-1/sqrt(D)), biases 0, as in torch's attention.
// That the token goes through W_q, and that biases are kept, follows from the paper's number of parameters.
// departs: the paper does not say how q0 starts: N(0, 0.02), as class tokens do, so that attention starts as the mean.
//   The paper starts from m = 0, where scores below -100 leave 0 / 0; here m starts at -inf. torch drops attention
//   weights; a weight that every later step reads again cannot be drawn anew by each, so there is no such dropout.
// Memory: state D + 2 H; tape 2 D + 3 H per step, and D (D + H) for [W_v | A].
#include <algorithm>
#include <cmath>

#include "cells/registry.hpp"
#include "mixing/gated_trace.hpp"
#include "mixing/prefix_attention.hpp"
#include "nn/linear.hpp"

namespace rlt {
namespace {

template <typename T>
class Aaren : public Cell<T> {
 public:
  explicit Aaren(const CellConfig& config)
      : width_(config.d_model),
        heads_(config.heads),
        d_(config.head_size()),
        tau_(T(1) / std::sqrt(static_cast<T>(d_))),
        attention_(heads_, d_, form_of(config)) {}

  void declare(ParameterSet<T>& parameters, std::string_view prefix) override {
    const std::string name(prefix);
    const double xavier = std::sqrt(6 / static_cast<double>(width_ + 3 * width_));
    const auto map = [&](const std::string& which) {
      return Map{&parameters.add(name + which + ".weight", {width_, width_}, init::uniform(xavier)),
                 &parameters.add(name + which + ".bias", {width_}, init::constant(0))};
    };
    query_ = &parameters.add(name + ".query", {width_}, init::normal(0.02));
    query_map_ = map(".query_map");
    key_ = map(".key");
    value_ = map(".value");
    out_.declare(parameters, name + ".out", width_, width_, Bias::zero);
    joined_.shape = {width_, joined()};
    joined_bias_.shape = {joined()};
    slow_.attach(joined_, 0, width_, &joined_bias_);
  }

  void carve(Workspace& workspace, Extent largest) override {
    const Index rows = largest.rows();
    q_ = workspace.tape.take<T>(width_);
    joined_.value = workspace.tape.take<T>(width_, joined());
    joined_bias_.value = workspace.tape.take<T>(joined());
    inputs_ = workspace.tape.take<T>(rows, joined());
    mixed_ = workspace.tape.take<T>(rows, width_);
    const ScratchScope scope(workspace);
    dq_ = workspace.scratch.take<T>(width_);
    dc_ = workspace.scratch.take<T>(heads_);
    joined_.gradient = workspace.scratch.take<T>(width_, joined());
    joined_bias_.gradient = workspace.scratch.take<T>(joined());
    dinputs_ = workspace.scratch.take<T>(rows, joined());
    dmixed_ = workspace.scratch.take<T>(rows, width_);
    slow_.carve(workspace, rows);
    out_.carve(workspace, rows);
    attention_.carve(workspace, largest);
  }

  StateLayout state_layout(Index /*context*/) const override { return attention_.state_layout(); }
  void initial_state(Matrix<T> state) const override { attention_.initial_state(state); }

  void forward(Sequence<const T> x, const Pass<T>& pass, Sequence<T> y) override {
    const Index rows = x.extent.rows();
    const Matrix<T> inputs(inputs_, rows, joined());
    const Matrix<T> mixed(mixed_, rows, width_);
    fold();
    slow_.forward(x.rows, inputs);
    attention_.forward(x.extent, pass, inputs, mixed);
    out_.forward(mixed, y.rows);
  }

  void backward(Sequence<const T> x, Sequence<const T> dy, Sequence<T> dx) override {
    const Index rows = x.extent.rows();
    const Matrix<const T> inputs(inputs_, rows, joined());
    const Matrix<const T> mixed(mixed_, rows, width_);
    const Matrix<T> dinputs(dinputs_, rows, joined());
    const Matrix<T> dmixed(dmixed_, rows, width_);
    // y = o W_out + b_out
    out_.backward(mixed, dy.rows, dmixed);
    // o = attention(v, s)
    attention_.backward(inputs, mixed, dmixed, dinputs, dc_);
    // v | s = x [W_v | A] + [b_v | c]
    std::fill_n(joined_.gradient, width_ * joined(), T(0));
    std::fill_n(joined_bias_.gradient, joined(), T(0));
    slow_.backward(x.rows, dinputs, dx.rows);
    fold_backward();
  }

 private:
  /// x W + b of D numbers.
  struct Map {
    Parameter<T>* weight = nullptr;
    Parameter<T>* bias = nullptr;
  };
  using Form = typename PrefixAttention<T>::Form;
  static Form form_of(const CellConfig& config) {
    const std::string& form = config.text("form");
    return form == "loop" ? Form::loop : form == "scan" ? Form::scan : Form::automatic;
  }
  Index joined() const { return width_ + heads_; }

  // q, [W_v | A] and [b_v | c].
  void fold() {
    std::copy_n(query_map_.bias->value, width_, q_);
    gemm<T>({query_->value, 1, width_}, {query_map_.weight->value, width_, width_}, {q_, 1, width_},
            Write::add);
    const auto join = [&](const T* v, const T* k, T* both) {
      std::copy_n(v, width_, both);
      for (Index head = 0; head < heads_; ++head) {
        both[width_ + head] = tau_ * gated::dot(d_, k + head * d_, q_ + head * d_);
      }
    };
    for (Index i = 0; i < width_; ++i) {
      join(value_.weight->value + i * width_, key_.weight->value + i * width_,
           joined_.value + i * joined());
    }
    join(value_.bias->value, key_.bias->value, joined_bias_.value);
  }

  // Their gradients, from those of [W_v | A], b_v and c.
  void fold_backward() {
    std::fill_n(dq_, width_, T(0));
    std::copy_n(dc_, heads_, joined_bias_.gradient + width_);
    const auto join_backward = [&](const T* dboth, const T* k, T* dv, T* dk) {
      // A = tau W_k q,  c = tau q . b_k
      for (Index head = 0; head < heads_; ++head) {
        const T scale = tau_ * dboth[width_ + head];
        gated::add_scaled(d_, scale, q_ + head * d_, dk + head * d_);
        gated::add_scaled(d_, scale, k + head * d_, dq_ + head * d_);
      }
      gated::add_scaled(width_, T(1), dboth, dv);
    };
    for (Index i = 0; i < width_; ++i) {
      const Index at = i * width_;
      join_backward(joined_.gradient + i * joined(), key_.weight->value + at,
                    value_.weight->gradient + at, key_.weight->gradient + at);
    }
    join_backward(joined_bias_.gradient, key_.bias->value, value_.bias->gradient,
                  key_.bias->gradient);
    // q = q0 W_q + b_q
    for (Index i = 0; i < width_; ++i) {
      gated::add_scaled(width_, query_->value[i], dq_, query_map_.weight->gradient + i * width_);
      query_->gradient[i] += gated::dot(width_, query_map_.weight->value + i * width_, dq_);
    }
    gated::add_scaled(width_, T(1), dq_, query_map_.bias->gradient);
  }

  Index width_;
  Index heads_;
  Index d_;
  T tau_;
  Parameter<T>* query_ = nullptr;  // q0
  Map query_map_;                  // W_q, b_q
  Map key_;                        // W_k, b_k
  Map value_;                      // W_v, b_v
  Parameter<T> joined_;            // [W_v | A], made in each pass, value in the tape
  Parameter<T> joined_bias_;       // [b_v | c]
  Linear<T> slow_;                 // of the joined
  Linear<T> out_;
  PrefixAttention<T> attention_;
  // tape
  T* q_ = nullptr;       // (D)
  T* inputs_ = nullptr;  // (B T, D + H) v | s
  T* mixed_ = nullptr;   // (B T, D) o
  // scratch
  T* dq_ = nullptr;
  T* dc_ = nullptr;  // (H)
  T* dinputs_ = nullptr;
  T* dmixed_ = nullptr;
};

}  // namespace

CellEntry cells::aaren() {
  return cell_entry<Aaren>({
      .name = "aaren",
      .summary = "softmax attention asked by one learned token: a weighted mean of the past in "
                 "constant memory",
      .source = "Feng et al. 2024, arXiv 2405.13956",
      .equation = "y_t = W_o sum_{j <= t} softmax_j(q . k_j / sqrt(d)) v_j + b_o,  "
                  "q = W_q q0 + b_q of a trained q0",
      .block = "postnorm",
      .options = {{.name = "form",
                   .value = "auto",
                   .help =
                       "loop: over time; scan: chunks of 512 steps side by side; auto: scan for "
                       "few long sequences. Equal but for rounding",
                   .choices = {"auto", "loop", "scan"}}},
  });
}

}  // namespace rlt
