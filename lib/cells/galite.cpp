// galite: gated linear attention with an element-wise gate on a matrix of keys and values.
// Pramanik, Elelimy, Machado, White 2023 (arXiv 2310.15719, id 4: GaLiTe, Algorithm 3).
//
// Per head of size d, which does not depend on D, with feature factor nu:
//   value, beta, key, gamma, pre (d), p1, p3 (nu) = x W + b      query (d), p2 (nu) = pre W' + b'
//   K = relu(p1) x relu(key)   Q = relu(p2) x relu(query)   G = sigmoid(p3) x sigmoid(gamma)   (nu d) outer products
//   B = sigmoid(beta)   V = value
//   C_t = (1 - B x G) C_{t-1} + (B V) x (G K)      (d, nu d)        s_t = (1 - G) s_{t-1} + G K      (nu d)
//   o_t = C_t Q / (s_t . Q + 1e-10)      y = o W_out + b_out, all heads side by side
// decay=factored: C_t = (1 - B) x (1 - G) C_{t-1} + (B V) x (G K), the form that agalite approximates.
// Backward, dC and ds carried from t + 1, for t = T..1, den the denominator, i a row of C:
//   do' = do / den   dden = -(do . o) / den
//   dC += do' x Q   ds += dden Q   dQ = C_t^T do' + dden s_t
//   dG = ds (K - s_{t-1}) + sum_i dC_i B_i (V_i K - C_{t-1,i})   dB_i = sum dC_i G (V_i K - C_{t-1,i})
//     (factored: (1 - B_i) C_{t-1,i} and (1 - G) C_{t-1,i} for the B_i and G before C_{t-1,i})
//   dV_i = sum dC_i B_i G K   dK = G ds + sum_i dC_i B_i V_i G
//   dC *= 1 - B x G, or (1 - B) x (1 - G)   ds *= 1 - G
//   then through the outer products, relu, sigmoid and the projections.
// Initial kernels are orthogonal with gain sqrt(2), that of each head and use on its own; biases are 0.
// departs: features lie n d + j, n in [0, nu), as those of agalite, not j nu + n: the same outputs, since no
//   parameter has this axis. The official code has no factored decay.
// Memory: state (d + 1) nu d per head; tape H (8 d + 3 nu) per step and one state per 32.
#include <string>

#include "cells/registry.hpp"
#include "mixing/cut.hpp"
#include "mixing/gated_recurrence.hpp"
#include "mixing/gated_trace.hpp"
#include "mixing/own_head_size.hpp"

namespace rlt {
namespace {

/// Blocks of columns, each drawn as a matrix of its own.
Init in_columns(const std::vector<Index>& widths, const Init& each) {
  return [=](const Rng& rng, const std::vector<Index>& shape, std::span<double> values) {
    const Index cols = shape.back();
    const Index rows = std::ssize(values) / cols;
    Index first = 0;
    for (Index i = 0; i < std::ssize(widths); ++i) {
      std::vector<double> block(static_cast<std::size_t>(rows * widths[i]));
      each(rng.stream(static_cast<std::uint64_t>(i)), {rows, widths[i]}, block);
      for (Index r = 0; r < rows; ++r) {
        std::copy_n(block.data() + r * widths[i], widths[i], values.data() + r * cols + first);
      }
      first += widths[i];
    }
  };
}

enum class Decay { coded, factored };

template <typename T>
class GaliteRule {
 public:
  explicit GaliteRule(const CellConfig& config)
      : outputs(head_size_of(config)),
        width_(config.d_model),
        heads_(config.heads),
        d_(outputs),
        nu_(config.count("nu")),
        f_(nu_ * d_),
        decay_(config.text("decay") == "factored" ? Decay::factored : Decay::coded),
        state_sizes_{d_ * f_, f_},
        work_sizes_{f_, f_, f_, f_, f_, f_, d_},
        query_(static_cast<std::size_t>(heads_)) {
    inputs = heads_ * (slow_outputs() + d_ + nu_);
    scratch = total(work_sizes_);
  }

  Index inputs, outputs, scratch;
  std::vector<StatePiece> pieces() const { return {{"C", {d_, nu_, d_}}, {"s", {nu_, d_}}}; }

  void declare(ParameterSet<T>& parameters, std::string_view prefix) {
    const std::string name(prefix);
    std::vector<Index> widths(static_cast<std::size_t>(heads_ * 5), d_);
    widths.resize(static_cast<std::size_t>(heads_ * 7), nu_);
    slow_.declare(parameters, name + ".slow", width_, heads_ * slow_outputs(), Bias::zero,
                  in_columns(widths, gated_init()));
    for (Index head = 0; head < heads_; ++head) {
      query_[head].declare(parameters, name + ".query." + std::to_string(head), d_, d_ + nu_,
                           Bias::zero, in_columns({d_, nu_}, gated_init()));
    }
  }

  void carve(Workspace& workspace, Index rows) {
    slow_.carve(workspace, rows);
    for (Linear<T>& query : query_) query.carve(workspace, rows);
  }

  void project(Matrix<const T> x, Matrix<T> in) const {
    for_row_blocks(x.rows, [&](const RowBlock& block) {
      const Matrix<T> here = block.of(in);
      slow_.product_block(block.of(x), slow_part(here));
      for (Index row = 0; row < here.rows; ++row) {
        gated::add_scaled(heads_ * slow_outputs(), T(1), slow_.bias(), here.row(row));
      }
      for (Index head = 0; head < heads_; ++head) {
        query_[head].product_block(pre_part(head, here), query_part(head, here));
        for (Index row = 0; row < here.rows; ++row) {
          const Inputs<T> at = inputs_of(head, here.row(row));
          gated::add_scaled(d_ + nu_, T(1), query_[head].bias(), at.query);
          gated::sigmoid(2 * d_, at.beta);  // and gamma
          gated::relu(d_, at.key);
          gated::relu(nu_, at.p1);
          gated::sigmoid(nu_, at.p3);
          gated::relu(d_ + nu_, at.query);  // and p2
        }
      }
    });
  }

  void project_backward(Matrix<const T> x, Matrix<const T> in, Matrix<T> din, Matrix<T> dx) {
    slow_.begin_backward();
    for (Linear<T>& query : query_) query.begin_backward();
    for_row_blocks(x.rows, [&](const RowBlock& block) {
      const Matrix<const T> here = block.of(in);
      const Matrix<T> dhere = block.of(din);
      for (Index head = 0; head < heads_; ++head) {
        for (Index row = 0; row < here.rows; ++row) {
          const Inputs<const T> at = inputs_of(head, here.row(row));
          const Inputs<T> d = inputs_of(head, dhere.row(row));
          // relu(query),  relu(p2)
          gated::relu_backward(d_ + nu_, at.query, d.query);
          // sigmoid(p3),  relu(p1),  relu(key)
          gated::sigmoid_backward(nu_, at.p3, d.p3);
          gated::relu_backward(nu_, at.p1, d.p1);
          gated::relu_backward(d_, at.key, d.key);
          // sigmoid(beta),  sigmoid(gamma)
          gated::sigmoid_backward(2 * d_, at.beta, d.beta);
        }
        // pre W' + b'
        const Matrix<const T> dquery = query_part(head, dhere);
        query_[head].backward_input_block(dquery, pre_part(head, dhere));
        query_[head].backward_parameters_block(block, pre_part(head, here), dquery);
      }
      // x W + b
      slow_.backward_input_block(slow_part(dhere), block.of(dx));
      slow_.backward_parameters_block(block, block.of(x), slow_part(dhere));
    });
    slow_.end_backward(x.rows);
    for (Linear<T>& query : query_) query.end_backward(x.rows);
  }

  void initial(T*) const {}

  void step(Index head, const T* in, T* state, T* scratch_, T* o) const {
    const Inputs<const T> at = inputs_of(head, in);
    const Work<T> work = cut<Work>(scratch_, work_sizes_);
    gated::outer(nu_, d_, at.p2, at.query, work.Q);
    write(head, in, state, scratch_, state);
    const State<const T> to = cut<State>(static_cast<const T*>(state), state_sizes_);
    const T scale = T(1) / (gated::dot(f_, to.s, work.Q) + epsilon);
    for (Index i = 0; i < d_; ++i) o[i] = scale * gated::dot(f_, to.C + i * f_, work.Q);
  }

  void replay(Index head, const T* in, const T* before, T* scratch_, T* after) const {
    write(head, in, before, scratch_, after);
  }

  void step_backward(Index head, const T* in, const T* before, const T* after, const T* o,
                     const T* g, T* scratch_, T* dstate, T* din) const {
    const Inputs<const T> at = inputs_of(head, in);
    const Inputs<T> d = inputs_of(head, din);
    const State<const T> from = cut<State>(before, state_sizes_);
    const State<const T> to = cut<State>(after, state_sizes_);
    const State<T> dto = cut<State>(dstate, state_sizes_);
    const Work<T> work = cut<Work>(scratch_, work_sizes_);
    gated::outer(nu_, d_, at.p1, at.key, work.K);
    gated::outer(nu_, d_, at.p2, at.query, work.Q);
    gated::outer(nu_, d_, at.p3, at.gamma, work.G);
    std::fill_n(work.dK, 3 * f_, T(0));  // and dQ, dG
    // o_t = C_t Q / (s_t . Q + 1e-10)
    const T denominator = gated::dot(f_, to.s, work.Q) + epsilon;
    const T ddenominator = -gated::dot(d_, g, o) / denominator;
    for (Index i = 0; i < d_; ++i) work.dread[i] = g[i] / denominator;
    gated::add_scaled(f_, ddenominator, to.s, work.dQ);
    gated::add_scaled(f_, ddenominator, work.Q, dto.s);
    // C_t Q, and C_t = (1 - B x G) C_{t-1} + (B V) x (G K)
    in_rows([&]<Decay decay, Index count>(Index i) {
      rows_backward<decay, count>(i, at, from.C, to.C, work, dto.C, d.beta, d.value);
    });
    // s_t = (1 - G) s_{t-1} + G K
    gated::write_trace_backward(f_, work.G, work.K, T(1), from.s, dto.s, work.dG, work.dK);
    // G = sigmoid(p3) x sigmoid(gamma),  Q = relu(p2) x relu(query),  K = relu(p1) x relu(key)
    gated::outer_backward(nu_, d_, at.p3, at.gamma, work.dG, d.p3, d.gamma);
    gated::outer_backward(nu_, d_, at.p2, at.query, work.dQ, d.p2, d.query);
    gated::outer_backward(nu_, d_, at.p1, at.key, work.dK, d.p1, d.key);
  }

 private:
  using V = Lanes<T>;
  static constexpr T epsilon = T(1e-10);
  static constexpr Index together = 4;  // rows of C at once: K, Q and G are loaded once for all

  template <typename Number>
  struct Inputs {
    Number *value, *beta, *gamma, *key, *pre;  // (d)
    Number *p1, *p3;                           // (nu)
    Number* query;                             // (d)
    Number* p2;                                // (nu)
  };
  template <typename Number>
  struct State {
    Number* C;  // (d, nu d)
    Number* s;  // (nu d)
  };
  template <typename Number>
  struct Work {
    Number *K, *Q, *G, *dK, *dQ, *dG;  // (nu d)
    Number* dread;                     // (d) of C_t Q
  };

  // A row holds the 5 d numbers of every head, then 2 nu of every head, then query and p2 of every head.
  template <typename Number>
  Inputs<Number> inputs_of(Index head, Number* row) const {
    Number* const value = row + head * 5 * d_;
    Number* const p1 = row + heads_ * 5 * d_ + head * 2 * nu_;
    Number* const query = row + heads_ * slow_outputs() + head * (d_ + nu_);
    return {value, value + d_, value + 2 * d_, value + 3 * d_, value + 4 * d_,
            p1,    p1 + nu_,   query,          query + d_};
  }
  Index slow_outputs() const { return 5 * d_ + 2 * nu_; }  // of a head
  template <typename Number>
  Matrix<Number> slow_part(Matrix<Number> in) const {
    return in.col_block(0, heads_ * slow_outputs());
  }
  template <typename Number>
  Matrix<Number> pre_part(Index head, Matrix<Number> in) const {
    return in.col_block(head * 5 * d_ + 4 * d_, d_);
  }
  template <typename Number>
  Matrix<Number> query_part(Index head, Matrix<Number> in) const {
    return in.col_block(heads_ * slow_outputs() + head * (d_ + nu_), d_ + nu_);
  }

  // body<decay, number of rows>(first row), over all rows of C.
  template <typename Body>
  void in_rows(const Body& body) const {
    const auto all = [&]<Decay decay>() {
      Index i = 0;
      for (; i + together <= d_; i += together) body.template operator()<decay, together>(i);
      for (; i < d_; ++i) body.template operator()<decay, 1>(i);
    };
    if (decay_ == Decay::coded) all.template operator()<Decay::coded>();
    if (decay_ == Decay::factored) all.template operator()<Decay::factored>();
  }

  // What is left of C where the gates are b and g, and w = b g.
  template <Decay decay>
  static V kept(const V& b, const V& g, const V& w) {
    if constexpr (decay == Decay::coded) return T(1) - w;
    return (T(1) - b) * (T(1) - g);
  }

  void write(Index head, const T* in, const T* before, T* scratch_, T* after) const {
    const Inputs<const T> at = inputs_of(head, in);
    const Work<T> work = cut<Work>(scratch_, work_sizes_);
    gated::outer(nu_, d_, at.p1, at.key, work.K);
    gated::outer(nu_, d_, at.p3, at.gamma, work.G);
    const State<const T> from = cut<State>(before, state_sizes_);
    const State<T> to = cut<State>(after, state_sizes_);
    in_rows([&]<Decay decay, Index count>(Index i) {
      write_rows<decay, count>(i, at, work, from.C, to.C);
    });
    gated::write_trace(f_, work.G, work.K, T(1), from.s, to.s);
  }

  template <Decay decay, Index count>
  void write_rows(Index i, const Inputs<const T>& at, const Work<T>& work, const T* before,
                  T* after) const {
    gated::for_lanes<T>(f_, [&](Index j, Index n) {
      const V k = load_lanes(work.K + j, n);
      const V g = load_lanes(work.G + j, n);
      for (Index r = i; r < i + count; ++r) {
        const V b(at.beta[r]);
        const V w = b * g;
        const V past = load_lanes(before + r * f_ + j, n);
        store_lanes(after + r * f_ + j,
                    xsimd::fma(kept<decay>(b, g, w), past, w * (at.value[r] * k)), n);
      }
    });
  }

  template <Decay decay, Index count>
  void rows_backward(Index i, const Inputs<const T>& at, const T* before, const T* after,
                     const Work<T>& work, T* dC, T* dbeta, T* dvalue) const {
    std::array<V, static_cast<std::size_t>(count)> sum_b, sum_v;
    sum_b.fill(V(T(0)));
    sum_v.fill(V(T(0)));
    gated::for_lanes<T>(f_, [&](Index j, Index n) {
      const V k = load_lanes(work.K + j, n);
      const V q = load_lanes(work.Q + j, n);
      const V g = load_lanes(work.G + j, n);
      V dk = load_lanes(work.dK + j, n);
      V dq = load_lanes(work.dQ + j, n);
      V dg = load_lanes(work.dG + j, n);
      for (Index r = 0; r < count; ++r) {
        const Index row = (i + r) * f_ + j;
        const V b(at.beta[i + r]);
        const V v(at.value[i + r]);
        const V dread(work.dread[i + r]);
        const V w = b * g;
        // C_t Q
        const V above = xsimd::fma(dread, q, load_lanes(dC + row, n));
        dq = xsimd::fma(dread, load_lanes(after + row, n), dq);
        // C_t = kept C_{t-1} + (B V) x (G K)
        const V past = above * load_lanes(before + row, n);
        const V written = above * v * k;
        sum_v[r] = xsimd::fma(w, above * k, sum_v[r]);
        dk = xsimd::fma(w, above * v, dk);
        if constexpr (decay == Decay::coded) {
          dg = xsimd::fma(b, written - past, dg);
          sum_b[r] = xsimd::fma(g, written - past, sum_b[r]);
        } else {
          dg += b * written - (T(1) - b) * past;
          sum_b[r] += g * written - (T(1) - g) * past;
        }
        store_lanes(dC + row, kept<decay>(b, g, w) * above, n);
      }
      store_lanes(work.dK + j, dk, n);
      store_lanes(work.dQ + j, dq, n);
      store_lanes(work.dG + j, dg, n);
    });
    for (Index r = 0; r < count; ++r) {
      dbeta[i + r] = xsimd::hadd(sum_b[r]);
      dvalue[i + r] = xsimd::hadd(sum_v[r]);
    }
  }

  Index width_;
  Index heads_;
  Index d_;
  Index nu_;
  Index f_;  // features: nu d
  Decay decay_;
  std::array<Index, 2> state_sizes_;
  std::array<Index, 7> work_sizes_;
  Linear<T> slow_;
  std::vector<Linear<T>> query_;  // of each head
};

template <typename T>
using Galite = GatedRecurrence<T, GaliteRule<T>>;

}  // namespace

CellEntry cells::galite() {
  return cell_entry<Galite>({
      .name = "galite",
      .summary = "gated linear transformer: every entry of the fast matrix has its own gate",
      .source = "Pramanik et al. 2023, arXiv 2310.15719",
      .equation = "C_t = (1 - B x G) C_{t-1} + (B V) x (G K);  s_t = (1 - G) s_{t-1} + G K;  "
                  "y_t = C_t Q / (s_t . Q)",
      .block = "gated",
      .input_matrix = gated_init(),
      .default_layers = 4,
      .options = {{.name = "nu",
                   .value = "2",
                   .help = "features of a head: nu times its size",
                   .choices = {},
                   .low = 1,
                   .high = 16,
                   .whole = true},
                  head_size_option(),
                  {.name = "decay",
                   .value = "coded",
                   .help = "what is kept of C: 1 - B x G as in the official code; factored: "
                           "(1 - B) x (1 - G), which agalite approximates",
                   .choices = {"coded", "factored"}}},
  });
}

}  // namespace rlt
