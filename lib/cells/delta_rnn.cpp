// delta_rnn: a recurrent fast net: the delta rule writes its input weights and its recurrent weights.
// Irie, Schlag, Csordas, Schmidhuber 2021 (arXiv 2106.06295); official id 3. Version 2 is the reported one.
//
// Per head of size d, from the bias-free projection a = W_slow x of the layer's input, for each head in the
// order q, k, v, k', v', beta, beta'; W and R (d key, d value), W_0 = R_0 = 0:
//   q = N(phi(a^q))   k = N(phi(a^k))   v = a^v   beta = sigmoid(a^beta)      phi(a) = elu(a) + 1
//   k' = softmax(a^k')   v' = a^v'   beta' = sigmoid(a^beta')                 N(p) = p / sum(p)
//   W_t = W_{t-1} + k (beta e)^T,      e = v - W_{t-1}^T k
//   R_t = R_{t-1} + k' (beta' e')^T,   e' = v' - R_{t-1}^T k'
//   y_t = W_t^T q + R_t^T s_{t-1}      s_t = softmax(y_t), s_0 = softmax(0): 1/d everywhere, not 0
// The output is y_t. Version 1 (option): q and k by softmax, the output is s_t.
// Backward, ds carried from step t + 1 and dout from above, for t = T..1:
//   dy = dout + s (ds - s . ds)        version 1: dy = s (ds' - s . ds'), ds' = ds + dout
//   the delta rule's (see deltanet.cpp) on W with q and dy, and on R with s_{t-1} as query and dy:
//   what is dq there is ds for step t - 1
// departs: the official kernel of version 2 adds 1e-6 to the sum of the softmax in every s_t; ours does not. A
//   sum(p) that underflows counts as 1e-30 (official: 0/0). Version 1: the official s_0 is 0, ours 1/d, so that
//   s is a probability vector at every step.
//   Of the paper's language models (ids 124, version 1, and 134, version 2) only the recurrence is taken over:
//   their layer carries LN(h) instead of h in the residual around the cell, their weights start at
//   Normal(0, 0.02) and gains at Normal(1, 0.02), and version 2 multiplies the output, but not what is fed
//   back, by 1/sqrt(d) (option scale=rsqrt). Id 3 is as here.
// Memory: state 2 d^2 + d per head, W, R and s; tape 7 d + 4 per step and head.
#include "cells/registry.hpp"
#include "mixing/delta_pair.hpp"
#include "mixing/fast_weight.hpp"

namespace rlt {
namespace {

template <typename T>
class DeltaRnnRule : public PlainRule<T> {
  using Pair = DeltaPair<T>;

 public:
  using V = Lanes<T>;

  explicit DeltaRnnRule(const CellConfig& config)
      : output_scale(output_scale_of<T>(config)),
        d_(config.head_size()),
        pair_(d_, config.text("version") == "1"),
        feedback_(d_, config.text("version") == "1"),
        sizes_{pair_.kept(), d_, d_} {
    inputs = pair_.inputs();
    outputs = d_;
    kept = total(sizes_);
  }

  const T output_scale;
  Index inputs, outputs, kept;
  std::vector<StatePiece> pieces() const { return {{"W", {d_, d_}}, {"R", {d_, d_}}, {"s", {d_}}}; }

  void initial(Index, V* w) const { feedback_.initial(w + pair_.state()); }

  void step(const LaneHeads&, const V* in, V* w, V* tape, V* out) const {
    const auto [pair_tape, previous_s, new_s] = cut<Tape>(tape, sizes_);
    V* const s = w + pair_.state();
    std::copy_n(s, d_, previous_s);
    V y[max_head_size];
    V r[max_head_size];
    pair_.step(in, s, w, pair_tape, y, r);
    for (Index i = 0; i < d_; ++i) y[i] += r[i];
    feedback_.step(y, s, out);
    std::copy_n(s, d_, new_s);
  }

  void replay(const V* tape, V* w) const { pair_.replay(cut<Tape>(tape, sizes_).pair, w); }

  void step_backward(const LaneHeads&, const V* tape, V* w, const V* dout, V* dw, V* din,
                     V*) const {
    const auto [pair_tape, previous_s, s] = cut<Tape>(tape, sizes_);
    V* const ds = dw + pair_.state();
    V dy[max_head_size];
    // s_t = softmax(y_t)
    feedback_.step_backward(s, ds, dout, dy);
    // y_t = W_t^T q + R_t^T s_{t-1}, and what wrote W_t and R_t
    pair_.step_backward(pair_tape, previous_s, w, dy, dy, dw, din, ds);
  }

 private:
  template <typename Vector>
  struct Tape {
    Vector* pair;
    Vector *previous_s, *s;  // (d) s_{t-1}, s_t
  };

  Index d_;
  Pair pair_;
  Feedback<T> feedback_;
  std::array<Index, 3> sizes_;  // of a Tape
};

template <typename T>
using DeltaRnn = FastWeightCell<T, DeltaRnnRule<T>>;

}  // namespace

CellEntry cells::delta_rnn() {
  return cell_entry<DeltaRnn>({
      .name = "delta_rnn",
      .summary = "recurrent fast net: the delta rule writes input and recurrent weights",
      .source = "Irie et al. 2021, arXiv 2106.06295",
      .equation = "W_t, R_t by the delta rule from k, v, beta and k', v', beta';  "
                  "y_t = W_t^T q_t + R_t^T softmax(y_{t-1})",
      .block = "prenorm",
      .options = {{.name = "version",
                   .value = "2",
                   .help = "1: y_t = softmax(W_t^T q_t + R_t^T y_{t-1}), q and k by softmax",
                   .choices = {"2", "1"}},
                  scale_option()},
  });
}

}  // namespace rlt
