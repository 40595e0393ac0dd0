// delta_lstm: an LSTM as fast net: the delta rule writes input and recurrent weights of each of its gates.
// Irie, Schlag, Csordas, Schmidhuber 2021 (arXiv 2106.06295); official id 254: version 4, the reported one.
//
// Per head of size d, for each gate g in {i, u, o} a pair of matrices W_g, R_g (d key, d value), written as
// in delta_rnn.cpp from the gate's own q, k, v, k', v', beta, beta' (bias-free projection of the input):
//   z_g = W_g,t^T q_g      a_g = z_g + R_g,t^T s_{t-1}
//   i = sigmoid(a_i)   u = a_u   o = sigmoid(a_o)
//   c_t = i u + (1 - i) c_{t-1}, c_0 = 0                 (element-wise products; forget gate 1 - i)
//   h_t = o c_t        s_t = softmax(h_t), s_0 = softmax(0): 1/d everywhere, not 0
// The output is h_t. Versions (option) 1 to 3 have u = sigmoid(a_u); 3 also has h_t = o c_t + z_u; 1 puts out
// s_t.
// Backward, ds and dc carried from step t + 1 and dout from above, for t = T..1:
//   dh = dout + s (ds - s . ds)        version 1: dh = s (ds' - s . ds'), ds' = ds + dout
//   dc += dh o
//   da_o = dh c_t o (1 - o)   da_i = dc (u - c_{t-1}) i (1 - i)   da_u = dc i     (1 to 3: times u (1 - u))
//   dc *= 1 - i
//   dz_g = da_g (3: dz_u = da_u + dh), then each pair's as in delta_rnn.cpp; ds = sum_g R_g da_g
// departs: chosen here: the order of the slow projection (gates i, u, o; each q, k, v, k', v', beta, beta'),
//   c_0 = 0, and in version 1 s_0 = 1/d and N(phi) for q and k. scale=rsqrt (option) multiplies the output,
//   but not what is fed back, by 1/sqrt(d), as the paper's language model does.
// Memory: state 6 d^2 + 2 d per head, three pairs W_g R_g, s and c; tape 21 d + 12 per step and head.
#include "cells/delta_pair.hpp"
#include "cells/fast_weight.hpp"

namespace rlt {
namespace {

template <typename T>
class DeltaLstmRule : public PlainRule<T> {
  using Pair = DeltaPair<T>;

 public:
  using V = Lanes<T>;

  explicit DeltaLstmRule(const CellConfig& config)
      : output_scale(output_scale_of<T>(config)),
        inputs(gates * Pair::inputs(config.head_size())),
        state(gates * Pair::state(config.head_size()) + 2 * config.head_size()),
        kept(gates * Pair::kept(config.head_size()) + 6 * config.head_size()),
        d_(config.head_size()),
        linear_update_(config.text("version") == "4"),
        skips_(config.text("version") == "3"),
        pair_(d_, false),
        feedback_(d_, config.text("version") == "1") {}

  const T output_scale;
  const Index inputs, state, kept;

  void initial(Index, V* w) const {
    std::fill_n(w, state, V(T(0)));
    feedback_.initial(w + matrices());
  }

  // state: W_i, R_i, W_u, R_u, W_o, R_o (d d each), s, c (d each)
  // kept: the pairs' for i, u, o, then the values i, u, o, then s_{t-1}, c_{t-1}, s_t (d each)
  void step(Index, const V* in, V* w, V* tape, V* out) const {
    V* const s = w + matrices();
    V* const c = s + d_;
    V* const values = tape + pairs_kept();
    std::copy_n(s, 2 * d_, values + gates * d_);
    V h[max_head_size];
    V r[max_head_size];
    std::fill_n(h, d_, V(T(0)));
    for (Index g = 0; g < gates; ++g) {
      V* const a = values + g * d_;
      pair_.step(in + g * Pair::inputs(d_), s, w + g * Pair::state(d_), tape + g * Pair::kept(d_),
                 a, r);
      if (skips_ && g == update) std::copy_n(a, d_, h);
      for (Index j = 0; j < d_; ++j) a[j] += r[j];
    }
    V* const i = values;
    V* const u = values + update * d_;
    V* const o = values + output * d_;
    for (Index j = 0; j < d_; ++j) {
      i[j] = sigmoid<T>(i[j]);
      o[j] = sigmoid<T>(o[j]);
      if (!linear_update_) u[j] = sigmoid<T>(u[j]);
      c[j] = mix(i[j], u[j], c[j]);
      h[j] = xsimd::fma(o[j], c[j], h[j]);
    }
    feedback_.step(h, s, out);
    std::copy_n(s, d_, values + (gates + 2) * d_);
  }

  void replay(const V* tape, V* w) const {
    for (Index g = 0; g < gates; ++g) {
      pair_.replay(tape + g * Pair::kept(d_), w + g * Pair::state(d_));
    }
  }

  void step_backward(Index, const V* tape, V* w, const V* dout, V* dw, V* din, V*) const {
    const V* const i = tape + pairs_kept();
    const V* const u = i + update * d_;
    const V* const o = i + output * d_;
    const V* const previous_s = i + gates * d_;
    const V* const previous_c = previous_s + d_;
    const V* const s = previous_c + d_;
    V* const ds = dw + matrices();
    V* const dc = ds + d_;
    V dh[max_head_size];
    feedback_.step_backward(s, ds, dout, dh);
    V da[gates * max_head_size];
    V* const da_u = da + update * d_;
    V* const da_o = da + output * d_;
    for (Index j = 0; j < d_; ++j) {
      const V c = mix(i[j], u[j], previous_c[j]);
      dc[j] = xsimd::fma(dh[j], o[j], dc[j]);
      da[j] = dc[j] * (u[j] - previous_c[j]) * i[j] * (T(1) - i[j]);
      da_u[j] = dc[j] * i[j];
      if (!linear_update_) da_u[j] *= u[j] * (T(1) - u[j]);
      da_o[j] = dh[j] * c * o[j] * (T(1) - o[j]);
      dc[j] *= T(1) - i[j];
      dh[j] += da_u[j];  // dz_u, where h sees z_u
    }
    std::fill_n(ds, d_, V(T(0)));
    V part[max_head_size];
    for (Index g = 0; g < gates; ++g) {
      const V* const da_g = da + g * d_;
      const V* const dz = skips_ && g == update ? dh : da_g;
      pair_.step_backward(tape + g * Pair::kept(d_), previous_s, w + g * Pair::state(d_), dz, da_g,
                          dw + g * Pair::state(d_), din + g * Pair::inputs(d_), part);
      for (Index j = 0; j < d_; ++j) ds[j] += part[j];
    }
  }

 private:
  enum Gate : Index { input, update, output, gates };

  // i u + (1 - i) c
  static V mix(const V& i, const V& u, const V& c) { return xsimd::fma(i, u - c, c); }

  Index matrices() const { return gates * Pair::state(d_); }
  Index pairs_kept() const { return gates * Pair::kept(d_); }

  Index d_;
  bool linear_update_;
  bool skips_;
  Pair pair_;
  Feedback<T> feedback_;
};

template <typename T>
using DeltaLstm = FastWeightCell<T, DeltaLstmRule<T>>;

}  // namespace

CellEntry cells::delta_lstm() {
  return cell_entry<DeltaLstm>({
      .name = "delta_lstm",
      .summary = "LSTM as fast net: the delta rule writes the weights of its gates",
      .source = "Irie et al. 2021, arXiv 2106.06295",
      .equation =
          "i, u, o from W_t^T q_t + R_t^T softmax(h_{t-1}), each gate with its own W_t, R_t by "
          "the delta rule;  c_t = i u + (1 - i) c_{t-1};  h_t = o c_t",
      .wrapping = Wrapping::prenorm,
      .options = {{.name = "version",
                   .value = "4",
                   .help =
                       "1 to 3: sigmoid on u; 3: h also sees the input part of u; 1: softmax on "
                       "the output, not on what is fed back",
                   .choices = {"4", "3", "2", "1"}},
                  scale_option()},
  });
}

}  // namespace rlt
