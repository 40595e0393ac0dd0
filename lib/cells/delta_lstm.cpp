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
// departs: the official kernels of versions 2 to 4 add 1e-6 to the sum of the softmax in every s_t; ours do
//   not. A sum(p) that underflows counts as 1e-30 (official: 0/0). Version 1: the official s_0 is 0, ours 1/d,
//   so that s is a probability vector at every step; its layer also drops in front of the output projection.
//   The official layer carries LN(h) instead of h in the residual around the cell. Its weights start at
//   Normal(0, 0.02) and gains at Normal(1, 0.02), ours as torch starts them. Versions 2 to 4 multiply the
//   output, but not what is fed back, by 1/sqrt(d); here that is an option (scale=rsqrt).
//   Columns of W_slow in each head: here gate by gate q, k, v, k', v', beta, beta'; officially all vectors come
//   before the rates of all gates.
// Memory: state 6 d^2 + 2 d per head, three pairs W_g R_g, s and c; tape 21 d + 12 per step and head.
#include "cells/registry.hpp"
#include "mixing/delta_pair.hpp"
#include "mixing/fast_weight.hpp"

namespace rlt {
namespace {

template <typename T>
class DeltaLstmRule : public PlainRule<T> {
  using Pair = DeltaPair<T>;

 public:
  using V = Lanes<T>;

  explicit DeltaLstmRule(const CellConfig& config)
      : output_scale(output_scale_of<T>(config)),
        d_(config.head_size()),
        linear_update_(config.text("version") == "4"),
        skips_(config.text("version") == "3"),
        pair_(d_, false),
        feedback_(d_, config.text("version") == "1"),
        sizes_{gates * pair_.kept(), d_, d_, d_, d_, d_, d_} {
    inputs = gates * pair_.inputs();
    outputs = d_;
    kept = total(sizes_);
  }

  const T output_scale;
  Index inputs, outputs, kept;
  std::vector<StatePiece> pieces() const {
    std::vector<StatePiece> pieces;
    for (const char* const gate : {"i", "u", "o"}) {
      pieces.push_back({std::string("W_") + gate, {d_, d_}});
      pieces.push_back({std::string("R_") + gate, {d_, d_}});
    }
    pieces.push_back({"s", {d_}});
    pieces.push_back({"c", {d_}});
    return pieces;
  }

  void initial(Index, V* w) const { feedback_.initial(w + matrices()); }

  void step(const LaneHeads&, const V* in, V* w, V* tape, V* out) const {
    const auto [pairs, i, u, o, previous_s, previous_c, new_s] = cut<Tape>(tape, sizes_);
    V* const s = w + matrices();
    V* const c = s + d_;
    std::copy_n(s, d_, previous_s);
    std::copy_n(c, d_, previous_c);
    V h[max_head_size];
    V r[max_head_size];
    std::fill_n(h, d_, V(T(0)));
    for (Index g = 0; g < gates; ++g) {
      V* const a = i + g * d_;  // i, u, o lie one behind the other
      pair_.step(in + g * pair_.inputs(), s, w + g * pair_.state(), pairs + g * pair_.kept(), a, r);
      if (skips_ && g == update) std::copy_n(a, d_, h);
      for (Index j = 0; j < d_; ++j) a[j] += r[j];
    }
    for (Index j = 0; j < d_; ++j) {
      i[j] = sigmoid<T>(i[j]);
      o[j] = sigmoid<T>(o[j]);
      if (!linear_update_) u[j] = sigmoid<T>(u[j]);
      c[j] = mix(i[j], u[j], c[j]);
      h[j] = xsimd::fma(o[j], c[j], h[j]);
    }
    feedback_.step(h, s, out);
    std::copy_n(s, d_, new_s);
  }

  void replay(const V* tape, V* w) const {
    for (Index g = 0; g < gates; ++g) {
      pair_.replay(cut<Tape>(tape, sizes_).pairs + g * pair_.kept(), w + g * pair_.state());
    }
  }

  void step_backward(const LaneHeads&, const V* tape, V* w, const V* dout, V* dw, V* din,
                     V*) const {
    const auto [pairs, i, u, o, previous_s, previous_c, s] = cut<Tape>(tape, sizes_);
    V* const ds = dw + matrices();
    V* const dc = ds + d_;
    V dh[max_head_size];
    // s_t = softmax(h_t)
    feedback_.step_backward(s, ds, dout, dh);
    V da[gates * max_head_size];
    V* const da_i = da + input * d_;
    V* const da_u = da + update * d_;
    V* const da_o = da + output * d_;
    for (Index j = 0; j < d_; ++j) {
      const V c = mix(i[j], u[j], previous_c[j]);
      // h_t = o c_t,  o = sigmoid(a_o)
      dc[j] = xsimd::fma(dh[j], o[j], dc[j]);
      da_o[j] = dh[j] * c * o[j] * (T(1) - o[j]);
      // c_t = i u + (1 - i) c_{t-1},  u = a_u or sigmoid(a_u),  i = sigmoid(a_i)
      da_u[j] = dc[j] * i[j];
      if (!linear_update_) da_u[j] *= u[j] * (T(1) - u[j]);
      da_i[j] = dc[j] * (u[j] - previous_c[j]) * i[j] * (T(1) - i[j]);
      dc[j] *= T(1) - i[j];
      // a_u = z_u + R_u,t^T s_{t-1},  and in version 3 h_t = o c_t + z_u
      dh[j] += da_u[j];
    }
    // a_g = W_g,t^T q_g + R_g,t^T s_{t-1}, and what wrote W_g,t and R_g,t
    std::fill_n(ds, d_, V(T(0)));
    V part[max_head_size];
    for (Index g = 0; g < gates; ++g) {
      const V* const da_g = da + g * d_;
      const V* const dz = skips_ && g == update ? dh : da_g;
      pair_.step_backward(pairs + g * pair_.kept(), previous_s, w + g * pair_.state(), dz, da_g,
                          dw + g * pair_.state(), din + g * pair_.inputs(), part);
      for (Index j = 0; j < d_; ++j) ds[j] += part[j];
    }
  }

 private:
  enum Gate : Index { input, update, output, gates };

  // i u + (1 - i) c
  static V mix(const V& i, const V& u, const V& c) { return xsimd::fma(i, u - c, c); }

  template <typename Vector>
  struct Tape {
    Vector* pairs;                        // of i, u, o
    Vector *i, *u, *o;                    // (d)
    Vector *previous_s, *previous_c, *s;  // (d) s_{t-1}, c_{t-1}, s_t
  };

  Index matrices() const { return gates * pair_.state(); }

  Index d_;
  bool linear_update_;
  bool skips_;
  Pair pair_;
  Feedback<T> feedback_;
  std::array<Index, 7> sizes_;  // of a Tape
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
      .block = "prenorm",
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
