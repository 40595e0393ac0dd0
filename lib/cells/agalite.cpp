// agalite: gated linear attention whose outer products of keys and values are approximated by cosines.
// Pramanik, Elelimy, Machado, White 2023 (arXiv 2310.15719, id 4: AGaLiTe, equations 20 and 34-36).
//
// Per head of size d, which does not depend on D, with feature factor eta and r cosines:
//   key, query, value, beta, gamma (d) = x W + b      p1, p2, p3 (eta) = x P + b'
//   K = relu(p1) x relu(key)   Q = relu(p2) x relu(query)   G = sigmoid(p3) x sigmoid(gamma)   (eta d) outer products
//   B = sigmoid(beta)   V = value
//   n_t = n_{t-1} + 1 from n_0 = 1          c_i = cos(n_t w_i), w_i = -pi + 2 pi i / (r - 1), i = 0 .. r - 1
//   k^i_t = (1 - G) k^i_{t-1} + c_i G K     v^i_t = (1 - B) v^i_{t-1} + c_i B V     s_t = (1 - G) s_{t-1} + G K
//   o_t = sum_i v^i_t (k^i_t . Q) / (2 r s_t . Q + 1e-5)      y = o W_out + b_out, all heads side by side
// Backward, gradients of k^i, v^i and s carried from t + 1, for t = T..1, den the denominator:
//   do' = do / den   dden = -(do . o) / den
//   dv^i += (k^i . Q) do'   da_i = v^i . do'   dk^i += da_i Q   ds += 2 r dden Q
//   dQ = sum_i da_i k^i + 2 r dden s
//   dG = sum_i dk^i (c_i K - k^i_{t-1}) + ds (K - s_{t-1})   dK = G (sum_i c_i dk^i + ds)
//   dB = sum_i dv^i (c_i V - v^i_{t-1})                      dV = B sum_i c_i dv^i
//   dk^i *= 1 - G   ds *= 1 - G   dv^i *= 1 - B
//   then through the outer products, relu, sigmoid and the projections.
// Cosines are even and n is whole: only ceil(r / 2) of the channels differ, and they repeat after 2 (r - 1) steps.
// Each is held once and counts as often as it occurs; the state holds n modulo the period, which is exact for ever.
// So r = 1 and r = 2, all that the official runs use, have one channel, c = (-1)^n, and equal outputs but for 1e-5:
// o_t = v_t g_t with |g_t| <= 1/2.
// Initial kernels are orthogonal with gain sqrt(2), each projection of all heads as one matrix; biases are 0.
// departs: a start inside a sequence resets n too. Officially n runs on; outputs are the same for r <= 3, and only
//   so is a start a fresh sequence for all r. The official n is a float and loses its phase after 10^5 steps. The
//   paper has w_i = 2 pi i / r, i = 0 .. r; the official code, followed here, the w_i above.
// Memory: state ceil(r / 2) (eta + 1) d + eta d + 1 per head; tape H (6 d + 3 eta) per step and one state per 32.
// form=scan: the recurrences are z -> a z + b, so the states before spans of 32 steps come from spans computed side
//   by side: equal to the loop but for rounding.
#include <cmath>
#include <numbers>

#include "cells/registry.hpp"
#include "mixing/cut.hpp"
#include "mixing/gated_recurrence.hpp"
#include "mixing/gated_trace.hpp"
#include "mixing/own_head_size.hpp"

namespace rlt {
namespace {

/// The different ones of cos(n w_i) at whole n.
template <typename T>
class Oscillators {
 public:
  explicit Oscillators(Index r)
      : channels(divide_up(r, 2)), r_(r), period_(2 * std::max<Index>(1, r - 1)) {
    const Index span = period_ / 2;
    for (Index n = 0; n < period_; ++n) {
      for (Index i = 0; i < channels; ++i) {
        const Index turns = n * (span - 2 * i) % period_;  // cos(n w_i) = cos(pi turns / span)
        waves_.push_back(static_cast<T>(
            std::cos(std::numbers::pi * static_cast<double>(turns) / static_cast<double>(span))));
      }
    }
  }

  const Index channels;
  /// How many of the r cosines are channel i: w and -w, but 0 once.
  T count(Index i) const { return 2 * i + 1 == r_ ? T(1) : T(2); }
  T next(T clock) const { return static_cast<T>((static_cast<Index>(clock) + 1) % period_); }
  const T* at(T clock) const { return waves_.data() + static_cast<Index>(clock) * channels; }

 private:
  Index r_;
  Index period_;
  std::vector<T> waves_;  // (period, channels)
};

template <typename T>
class AgaliteRule {
 public:
  explicit AgaliteRule(const CellConfig& config)
      : outputs(head_size_of(config)),
        scans(config.text("form") == "scan"),
        width_(config.d_model),
        heads_(config.heads),
        d_(outputs),
        eta_(config.count("eta")),
        f_(eta_ * d_),
        r_(static_cast<T>(config.count("r"))),
        oscillators_(config.count("r")),
        state_sizes_{oscillators_.channels * f_, oscillators_.channels * d_, f_, 1},
        work_sizes_{f_, f_, f_, f_, f_, f_, d_} {
    inputs = heads_ * (5 * d_ + 3 * eta_);
    scratch = total(work_sizes_);
    decays = f_ + d_;
  }

  Index inputs, outputs, scratch, decays;
  bool scans;
  std::vector<StatePiece> pieces() const {
    return {{"k", {oscillators_.channels, eta_, d_}},
            {"v", {oscillators_.channels, d_}},
            {"s", {eta_, d_}},
            {"clock", {}}};
  }

  void declare(ParameterSet<T>& parameters, std::string_view prefix) {
    const std::string name(prefix);
    slow_.declare(parameters, name + ".slow", width_, heads_ * 5 * d_, Bias::zero, gated_init());
    factors_.declare(parameters, name + ".features", width_, heads_ * 3 * eta_, Bias::zero,
                     gated_init());
  }

  void carve(Workspace& workspace, Index rows) {
    slow_.carve(workspace, rows);
    factors_.carve(workspace, rows);
  }

  void project(Matrix<const T> x, Matrix<T> in) const {
    for_row_blocks(x.rows, [&](const RowBlock& block) {
      slow_.product_block(block.of(x), block.of(slow_part(in)));
      factors_.product_block(block.of(x), block.of(factors_part(in)));
      for (Index row = block.first; row < block.first + block.count; ++row) {
        T* const at = in.row(row);
        gated::add_scaled(heads_ * 5 * d_, T(1), slow_.bias(), at);
        gated::add_scaled(heads_ * 3 * eta_, T(1), factors_.bias(), at + heads_ * 5 * d_);
        for (Index head = 0; head < heads_; ++head) {
          const auto [key, query, value, beta, gamma, p1, p2, p3] = inputs_of(head, at);
          gated::relu(2 * d_, key);      // and query
          gated::sigmoid(2 * d_, beta);  // and gamma
          gated::relu(2 * eta_, p1);     // and p2
          gated::sigmoid(eta_, p3);
        }
      }
    });
  }

  void project_backward(Matrix<const T> x, Matrix<const T> in, Matrix<T> din, Matrix<T> dx) {
    slow_.begin_backward();
    factors_.begin_backward();
    for_row_blocks(x.rows, [&](const RowBlock& block) {
      for (Index row = block.first; row < block.first + block.count; ++row) {
        for (Index head = 0; head < heads_; ++head) {
          const Inputs<const T> at = inputs_of(head, in.row(row));
          const Inputs<T> d = inputs_of(head, din.row(row));
          // sigmoid(p3),  relu(p1),  relu(p2)
          gated::sigmoid_backward(eta_, at.p3, d.p3);
          gated::relu_backward(2 * eta_, at.p1, d.p1);
          // sigmoid(beta),  sigmoid(gamma)
          gated::sigmoid_backward(2 * d_, at.beta, d.beta);
          // relu(key),  relu(query)
          gated::relu_backward(2 * d_, at.key, d.key);
        }
      }
      // x P + b',  x W + b
      const Matrix<const T> dfactors = block.of(factors_part(din));
      const Matrix<const T> dslow = block.of(slow_part(din));
      slow_.backward_input_block(dslow, block.of(dx));
      factors_.backward_input_block(dfactors, block.of(dx), Write::add);
      slow_.backward_parameters_block(block, block.of(x), dslow);
      factors_.backward_parameters_block(block, block.of(x), dfactors);
    });
    slow_.end_backward(x.rows);
    factors_.end_backward(x.rows);
  }

  void initial(T* state) const { clock(state) = T(1); }

  void step(Index head, const T* in, T* state, T* scratch_, T* o) const {
    replay(head, in, state, scratch_, state);
    const Inputs<const T> at = inputs_of(head, in);
    const State<T> to = cut<State>(state, state_sizes_);
    const Work<T> work = cut<Work>(scratch_, work_sizes_);
    gated::outer(eta_, d_, at.p2, at.query, work.Q);
    const T denominator = 2 * r_ * gated::dot(f_, to.s, work.Q) + epsilon;
    std::fill_n(o, d_, T(0));
    for (Index i = 0; i < oscillators_.channels; ++i) {
      const T read = oscillators_.count(i) * gated::dot(f_, to.k + i * f_, work.Q);
      gated::add_scaled(d_, read / denominator, to.v + i * d_, o);
    }
  }

  void replay(Index head, const T* in, const T* before, T* scratch_, T* after) const {
    const Inputs<const T> at = inputs_of(head, in);
    const Work<T> work = cut<Work>(scratch_, work_sizes_);
    gated::outer(eta_, d_, at.p1, at.key, work.K);
    gated::outer(eta_, d_, at.p3, at.gamma, work.G);
    const State<const T> from = cut<State>(before, state_sizes_);
    const State<T> to = cut<State>(after, state_sizes_);
    *to.clock = oscillators_.next(*from.clock);
    const T* const wave = oscillators_.at(*to.clock);
    for (Index i = 0; i < oscillators_.channels; ++i) {
      gated::write_trace(f_, work.G, work.K, wave[i], from.k + i * f_, to.k + i * f_);
      gated::write_trace(d_, at.beta, at.value, wave[i], from.v + i * d_, to.v + i * d_);
    }
    gated::write_trace(f_, work.G, work.K, T(1), from.s, to.s);
  }

  void step_backward(Index head, const T* in, const T* before, const T* after, const T* o,
                     const T* g, T* scratch_, T* dstate, T* din) const {
    const Inputs<const T> at = inputs_of(head, in);
    const Inputs<T> d = inputs_of(head, din);
    const State<const T> from = cut<State>(before, state_sizes_);
    const State<const T> to = cut<State>(after, state_sizes_);
    const State<T> dto = cut<State>(dstate, state_sizes_);
    const auto [K, Q, G, dK, dQ, dG, dnumerator] = cut<Work>(scratch_, work_sizes_);
    const T* const wave = oscillators_.at(*to.clock);
    gated::outer(eta_, d_, at.p1, at.key, K);
    gated::outer(eta_, d_, at.p2, at.query, Q);
    gated::outer(eta_, d_, at.p3, at.gamma, G);
    std::fill_n(dK, 3 * f_, T(0));       // and dQ, dG
    std::fill_n(d.value, 2 * d_, T(0));  // and beta
    // o_t = sum_i v^i_t (k^i_t . Q) / (2 r s_t . Q + 1e-5)
    const T denominator = 2 * r_ * gated::dot(f_, to.s, Q) + epsilon;
    const T ddot = 2 * r_ * -gated::dot(d_, g, o) / denominator;  // of s_t . Q
    for (Index j = 0; j < d_; ++j) dnumerator[j] = g[j] / denominator;
    gated::add_scaled(f_, ddot, to.s, dQ);
    gated::add_scaled(f_, ddot, Q, dto.s);
    for (Index i = 0; i < oscillators_.channels; ++i) {
      const T* const k = to.k + i * f_;
      const T count = oscillators_.count(i);
      const T dread = count * gated::dot(d_, to.v + i * d_, dnumerator);  // of k^i_t . Q
      gated::add_scaled(d_, count * gated::dot(f_, k, Q), dnumerator, dto.v + i * d_);
      gated::add_scaled(f_, dread, Q, dto.k + i * f_);
      gated::add_scaled(f_, dread, k, dQ);
      // v^i_t = (1 - B) v^i_{t-1} + c_i B V
      gated::write_trace_backward(d_, at.beta, at.value, wave[i], from.v + i * d_, dto.v + i * d_,
                                  d.beta, d.value);
      // k^i_t = (1 - G) k^i_{t-1} + c_i G K
      gated::write_trace_backward(f_, G, K, wave[i], from.k + i * f_, dto.k + i * f_, dG, dK);
    }
    // s_t = (1 - G) s_{t-1} + G K
    gated::write_trace_backward(f_, G, K, T(1), from.s, dto.s, dG, dK);
    // G = sigmoid(p3) x sigmoid(gamma),  Q = relu(p2) x relu(query),  K = relu(p1) x relu(key)
    gated::outer_backward(eta_, d_, at.p3, at.gamma, dG, d.p3, d.gamma);
    gated::outer_backward(eta_, d_, at.p2, at.query, dQ, d.p2, d.query);
    gated::outer_backward(eta_, d_, at.p1, at.key, dK, d.p1, d.key);
  }

  // The scan: each span's states are those from zeros plus the product of its decays times the state before it.

  T& clock(T* state) const { return *cut<State>(state, state_sizes_).clock; }
  const T& clock(const T* state) const { return *cut<State>(state, state_sizes_).clock; }
  T next_clock(T clock) const { return oscillators_.next(clock); }

  void decay(Index head, const T* in, T* decays_) const {
    const Inputs<const T> at = inputs_of(head, in);
    for (Index n = 0; n < eta_; ++n) {
      for (Index j = 0; j < d_; ++j) decays_[n * d_ + j] *= T(1) - at.p3[n] * at.gamma[j];
    }
    for (Index j = 0; j < d_; ++j) decays_[f_ + j] *= T(1) - at.beta[j];
  }

  void combine(const T* decays_, const T* before, T* after) const {
    const State<const T> from = cut<State>(before, state_sizes_);
    const State<T> to = cut<State>(after, state_sizes_);
    const auto add = [](Index count, const T* decay, const T* z, T* sum) {
      for (Index j = 0; j < count; ++j) sum[j] += decay[j] * z[j];
    };
    for (Index i = 0; i < oscillators_.channels; ++i) {
      add(f_, decays_, from.k + i * f_, to.k + i * f_);
      add(d_, decays_ + f_, from.v + i * d_, to.v + i * d_);
    }
    add(f_, decays_, from.s, to.s);
  }

 private:
  static constexpr T epsilon = T(1e-5);

  template <typename Number>
  struct Inputs {
    Number *key, *query, *value, *beta, *gamma;  // (d)
    Number *p1, *p2, *p3;                        // (eta)
  };
  template <typename Number>
  struct State {
    Number* k;      // (channels, eta d)
    Number* v;      // (channels, d)
    Number* s;      // (eta d)
    Number* clock;  // n
  };
  template <typename Number>
  struct Work {
    Number *K, *Q, *G, *dK, *dQ, *dG;  // (eta d)
    Number* dnumerator;                // (d)
  };

  // A row holds the 5 d numbers of every head, then the 3 eta of every head.
  template <typename Number>
  Inputs<Number> inputs_of(Index head, Number* row) const {
    Number* const key = row + head * 5 * d_;
    Number* const p1 = row + heads_ * 5 * d_ + head * 3 * eta_;
    return {key, key + d_, key + 2 * d_, key + 3 * d_, key + 4 * d_, p1, p1 + eta_, p1 + 2 * eta_};
  }
  Matrix<T> slow_part(Matrix<T> in) const { return in.col_block(0, heads_ * 5 * d_); }
  Matrix<T> factors_part(Matrix<T> in) const {
    return in.col_block(heads_ * 5 * d_, heads_ * 3 * eta_);
  }

  Index width_;
  Index heads_;
  Index d_;
  Index eta_;
  Index f_;  // features: eta d
  T r_;
  Oscillators<T> oscillators_;
  std::array<Index, 4> state_sizes_;
  std::array<Index, 7> work_sizes_;
  Linear<T> slow_;     // W
  Linear<T> factors_;  // P
};

template <typename T>
using Agalite = GatedRecurrence<T, AgaliteRule<T>>;

}  // namespace

CellEntry cells::agalite() {
  return cell_entry<Agalite>({
      .name = "agalite",
      .summary = "approximate gated linear transformer: gated traces of keys and values, joined by "
                 "cosines",
      .source = "Pramanik et al. 2023, arXiv 2310.15719",
      .equation = "k^i_t = (1 - G) k^i_{t-1} + c_i G K;  v^i_t = (1 - B) v^i_{t-1} + c_i B V;  "
                  "y_t = sum_i v^i_t (k^i_t . Q) / (2 r s_t . Q),  c_i = cos(w_i t)",
      .block = "gated",
      .real_input = RealInput::relu,
      .input_matrix = gated_init(),
      .default_layers = 4,
      .options = {{.name = "eta",
                   .value = "4",
                   .help = "features of a head: eta times its size",
                   .choices = {},
                   .low = 1,
                   .high = 16,
                   .whole = true},
                  {.name = "r",
                   .value = "2",
                   .help = "cosines; 1 and 2 give the same outputs",
                   .choices = {},
                   .low = 1,
                   .high = 64,
                   .whole = true},
                  head_size_option(),
                  {.name = "form",
                   .value = "loop",
                   .help = "loop: over time; scan: spans of 32 steps side by side",
                   .choices = {"loop", "scan"}}},
  });
}

}  // namespace rlt
