// The frame of the gated linear cells, whose heads are wide and whose state decays: projections of all B T rows,
// then the recurrence of every (sequence, head) pair, then the output projection. What is projected and what the
// recurrence does is a Rule; its file has the equations.
//
// Vector lanes run over the features of one head, so that a batch of 8 fills them. Time runs inside a pair, so
// that its state stays in cache. Decay cannot be taken back: the tape holds one state per span of `stride` steps,
// and backward replays the span from there. A Rule whose state is carried by products of decays also has a second
// way forward, by a scan over the spans.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <string>
#include <string_view>
#include <vector>

#include "base/parallel.hpp"
#include "mixing/cell.hpp"
#include "mixing/cell_config.hpp"
#include "nn/linear.hpp"

namespace rlt {

/// One head's recurrence. `in` is a row of what `project` made, of all heads; states are of one head.
template <typename R, typename T>
concept GatedRule = requires(R rule, const R fixed, const CellConfig& config,
                             ParameterSet<T>& parameters, std::string_view prefix,
                             Workspace& workspace, Index index, T* numbers, const T* read,
                             Matrix<const T> rows, Matrix<T> written) {
  R(config);
  { fixed.inputs } -> std::convertible_to<Index>;   // numbers per step that `project` makes
  { fixed.outputs } -> std::convertible_to<Index>;  // of a head per step
  { fixed.scratch } -> std::convertible_to<Index>;  // numbers of work space per thread
  { fixed.pieces() } -> std::same_as<std::vector<StatePiece>>;  // the state
  rule.declare(parameters, prefix);
  rule.carve(workspace, index);
  /// project(x, in): projections and what is done to each row alone, such as sigmoid.
  rule.project(rows, written);
  /// project_backward(x, in, din, dx); may use din as scratch.
  rule.project_backward(rows, rows, written, written);
  /// Writes what of a fresh state is not 0.
  fixed.initial(numbers);
  /// step(head, in, state, scratch, out)
  fixed.step(index, read, numbers, numbers, numbers);
  /// replay(head, in, before, scratch, after): the same without output.
  fixed.replay(index, read, read, numbers, numbers);
  /// step_backward(head, in, before, after, out, dout, scratch, dstate, din): dstate is the gradient of the state
  /// after the step on entry, before it on return; din overwritten.
  fixed.step_backward(index, read, read, read, read, read, numbers, numbers, numbers);
};

/// A Rule whose steps are affine, z -> a z + b element by element, but for a clock that no input moves.
template <typename R, typename T>
concept ScanningRule = GatedRule<R, T> &&
    requires(const R fixed, Index head, const T* read, T* numbers, T clock) {
  { fixed.scans } -> std::convertible_to<bool>;    // as the user chose
  { fixed.decays } -> std::convertible_to<Index>;  // numbers of the product of all a
  { fixed.clock(numbers) } -> std::same_as<T&>;
  { fixed.next_clock(clock) } -> std::same_as<T>;
  /// decay(head, in, decays): times the a of this step.
  fixed.decay(head, read, numbers);
  /// combine(decays, before, after): after += decays before, but for the clock.
  fixed.combine(read, read, numbers);
};

/// How every kernel of these cells starts; biases start at 0.
inline Init gated_init() { return init::orthogonal(std::sqrt(2.0)); }

template <std::floating_point T, GatedRule<T> Rule>
class GatedRecurrence : public Cell<T> {
 public:
  explicit GatedRecurrence(const CellConfig& config)
      : width_(config.d_model),
        heads_(config.heads),
        rule_(config),
        state_(state_layout(0).size() / heads_),
        fresh_(static_cast<std::size_t>(state_), T(0)) {
    rule_.initial(fresh_.data());
  }

  void declare(ParameterSet<T>& parameters, std::string_view prefix) override {
    rule_.declare(parameters, prefix);
    out_.declare(parameters, std::string(prefix) + ".out", heads_ * rule_.outputs, width_,
                 Bias::zero, gated_init());
  }

  void carve(Workspace& workspace, Extent largest) override {
    const Index rows = largest.rows();
    const Index pairs = product(largest.batch, heads_);
    inputs_ = workspace.tape.take<T>(rows, rule_.inputs);
    mixed_ = workspace.tape.take<T>(rows, heads_, rule_.outputs);
    checkpoints_ = workspace.tape.take<T>(pairs, span_count(largest), padded_state());
    const ScratchScope scope(workspace);
    dinputs_ = workspace.scratch.take<T>(rows, rule_.inputs);
    dmixed_ = workspace.scratch.take<T>(rows, heads_, rule_.outputs);
    for_each_thread_ = workspace.scratch.take<T>(thread_count(), thread_numbers());
    if constexpr (ScanningRule<Rule, T>) {
      decays_ =
          workspace.scratch.take<T>(rule_.scans ? pairs : 0, span_count(largest), rule_.decays);
    }
    rule_.carve(workspace, rows);
    out_.carve(workspace, rows);
  }

  StateLayout state_layout(Index /*context*/) const override {
    return {.pieces = rule_.pieces(), .copies = heads_};
  }

  void initial_state(Matrix<T> state) const override {
    for (Index row = 0; row < state.rows; ++row) {
      for (Index head = 0; head < heads_; ++head) {
        std::ranges::copy(fresh_, state.row(row) + head * state_);
      }
    }
  }

  void forward(Sequence<const T> x, const Pass<T>& pass, Sequence<T> y) override {
    pass_ = pass;
    const Extent extent = x.extent;
    rule_.project(x.rows, input_rows(extent, inputs_));
    forward_heads(extent);
    out_.forward(mixed_rows(extent, mixed_), y.rows);
  }

  void backward(Sequence<const T> x, Sequence<const T> dy, Sequence<T> dx) override {
    const Extent extent = x.extent;
    // y = o W_out + b
    out_.backward(mixed_rows(extent, mixed_), dy.rows, mixed_rows(extent, dmixed_));
    // o = the recurrence of every head
    for_pairs(extent, [&](const Pair& pair, T* scratch) { backward_pair(extent, pair, scratch); });
    // in = the projections of x
    rule_.project_backward(x.rows, input_rows(extent, inputs_), input_rows(extent, dinputs_),
                           dx.rows);
  }

 private:
  static constexpr Index stride = 32;  // steps from one kept state to the next
  // A task moves at least so many numbers of state: a step of a small batch is not worth waking a thread.
  static constexpr Index task_numbers = 32768;

  struct Pair {
    Index index, sequence, head;
  };

  static Index span_count(Extent extent) { return divide_up(extent.steps, stride); }
  Index padded_state() const { return round_up(state_, memory_alignment / sizeof(T)); }
  Index thread_numbers() const { return (stride + 1) * padded_state() + rule_.scratch; }
  Matrix<T> input_rows(Extent extent, T* data) const { return {data, extent.rows(), rule_.inputs}; }
  Matrix<T> mixed_rows(Extent extent, T* data) const {
    return {data, extent.rows(), heads_ * rule_.outputs};
  }
  const T* input(Extent extent, const Pair& pair, Index t) const {
    return inputs_ + (pair.sequence * extent.steps + t) * rule_.inputs;
  }
  Index output_at(Extent extent, const Pair& pair, Index t) const {
    return ((pair.sequence * extent.steps + t) * heads_ + pair.head) * rule_.outputs;
  }
  T* checkpoint(Extent extent, const Pair& pair, Index span) const {
    return checkpoints_ + (pair.index * span_count(extent) + span) * padded_state();
  }
  bool start(Extent extent, const Pair& pair, Index t) const {
    return pass_.start(extent, pair.sequence, t);
  }

  // body(pair, scratch of its thread)
  template <typename Body>
  void for_pairs(Extent extent, const Body& body) {
    const Index pairs = extent.batch * heads_;
    const Index together = std::max<Index>(1, task_numbers / (extent.steps * state_));
    parallel_for(divide_up(pairs, together), [&](Index task, int thread) {
      T* const scratch = for_each_thread_ + thread * thread_numbers();
      for (Index i = task * together; i < std::min(pairs, (task + 1) * together); ++i) {
        body(Pair{i, i / heads_, i % heads_}, scratch);
      }
    });
  }

  T* carried(const Pair& pair) const { return pass_.state.row(pair.sequence) + pair.head * state_; }

  void forward_heads(Extent extent) {
    if constexpr (ScanningRule<Rule, T>) {
      if (rule_.scans && span_count(extent) > 1) return scan_heads(extent);
    }
    for_pairs(extent, [&](const Pair& pair, T* scratch) {
      T* const state = pass_.carries() ? carried(pair) : scratch;
      if (!pass_.carries()) std::ranges::copy(fresh_, state);
      for (Index span = 0; span < span_count(extent); ++span) {
        if (pass_.keep == Pass<T>::Keep::tape) {
          std::copy_n(state, state_, checkpoint(extent, pair, span));
        }
        forward_span(extent, pair, span, state, scratch + padded_state());
      }
    });
  }

  void forward_span(Extent extent, const Pair& pair, Index span, T* state, T* scratch) {
    const Index last = std::min(extent.steps, (span + 1) * stride);
    for (Index t = span * stride; t < last; ++t) {
      if (start(extent, pair, t)) std::ranges::copy(fresh_, state);
      rule_.step(pair.head, input(extent, pair, t), state, scratch,
                 mixed_ + output_at(extent, pair, t));
    }
  }

  // The state before each span by a scan, then all spans side by side: work for as many threads as there are spans,
  // but a replay of every step more than the loop. Measured for agalite at D = 128, d = 64, B = 1, H = 1, 2, 4, T = 257
  // and 1024: on one thread the whole forward takes 1.03 to 1.06 times as long, since most of it are products. On two
  // threads, of cores that others used too, it took 0.9 to 2.7 times as long, in no order. So the loop is the default.
  void scan_heads(Extent extent) requires ScanningRule<Rule, T> {
    const Index spans = span_count(extent);
    const Index pairs = extent.batch * heads_;
    const auto for_spans = [&](Index count, const auto& body) {
      parallel_for(pairs * count, [&](Index task, int thread) {
        const Index pair = task / count;
        body(Pair{pair, pair / heads_, pair % heads_}, task % count,
             for_each_thread_ + thread * thread_numbers());
      });
    };
    const auto decays = [&](const Pair& pair, Index span) {
      return decays_ + (pair.index * spans + span) * rule_.decays;
    };
    // the clock before each span
    for_pairs(extent, [&](const Pair& pair, T*) {
      T* const first = checkpoint(extent, pair, 0);
      std::copy_n(pass_.carries() ? carried(pair) : fresh_.data(), state_, first);
      T clock = rule_.clock(first);
      for (Index t = 0; t < (spans - 1) * stride; ++t) {
        if (t % stride == 0) rule_.clock(checkpoint(extent, pair, t / stride + 1)) = clock;
        if (start(extent, pair, t)) clock = rule_.clock(fresh_.data());
        clock = rule_.next_clock(clock);
      }
    });
    // each span from a state of zeros, with the product of its decays
    for_spans(spans - 1, [&](const Pair& pair, Index span, T* scratch) {
      T* const state = checkpoint(extent, pair, span + 1);
      const T clock = rule_.clock(state);
      std::fill_n(state, state_, T(0));
      rule_.clock(state) = clock;
      std::fill_n(decays(pair, span), rule_.decays, T(1));
      for (Index t = span * stride; t < (span + 1) * stride; ++t) {
        const T* const in = input(extent, pair, t);
        if (start(extent, pair, t)) {
          std::ranges::copy(fresh_, state);
          std::fill_n(decays(pair, span), rule_.decays, T(0));
        }
        rule_.replay(pair.head, in, state, scratch, state);
        rule_.decay(pair.head, in, decays(pair, span));
      }
    });
    // each span from the state before it
    for_pairs(extent, [&](const Pair& pair, T*) {
      for (Index span = 0; span + 1 < spans; ++span) {
        rule_.combine(decays(pair, span), checkpoint(extent, pair, span),
                      checkpoint(extent, pair, span + 1));
      }
    });
    for_spans(spans, [&](const Pair& pair, Index span, T* scratch) {
      T* const state = scratch;
      std::copy_n(checkpoint(extent, pair, span), state_, state);
      forward_span(extent, pair, span, state, scratch + padded_state());
      if (span == spans - 1 && pass_.carries()) std::copy_n(state, state_, carried(pair));
    });
  }

  void backward_pair(Extent extent, const Pair& pair, T* scratch) {
    T* const dstate = scratch;
    T* const states = dstate + padded_state();  // of a replayed span: after each of its steps
    T* const work = states + stride * padded_state();
    std::fill_n(dstate, state_, T(0));
    for (Index span = span_count(extent) - 1; span >= 0; --span) {
      const Index first = span * stride;
      const Index last = std::min(extent.steps, first + stride) - 1;
      const auto after = [&](Index t) { return states + (t - first) * padded_state(); };
      const auto before = [&](Index t) -> const T* {
        if (start(extent, pair, t)) return fresh_.data();
        return t == first ? checkpoint(extent, pair, span) : after(t - 1);
      };
      for (Index t = first; t <= last; ++t) {
        rule_.replay(pair.head, input(extent, pair, t), before(t), work, after(t));
      }
      for (Index t = last; t >= first; --t) {
        const Index at = output_at(extent, pair, t);
        // the Rule's step
        rule_.step_backward(pair.head, input(extent, pair, t), before(t), after(t), mixed_ + at,
                            dmixed_ + at, work, dstate,
                            dinputs_ + (pair.sequence * extent.steps + t) * rule_.inputs);
        // a fresh state where a sequence starts
        if (start(extent, pair, t)) std::fill_n(dstate, state_, T(0));
      }
    }
  }

  Index width_;
  Index heads_;
  Rule rule_;
  Index state_;           // numbers of a head
  std::vector<T> fresh_;  // state of a head
  Linear<T> out_;
  Pass<T> pass_;
  // tape
  T* inputs_ = nullptr;       // (B T, inputs) what `project` made
  T* mixed_ = nullptr;        // (B T, H outputs) o
  T* checkpoints_ = nullptr;  // (B H, ceil(T / stride), state): before each span
  // scratch
  T* dinputs_ = nullptr;
  T* dmixed_ = nullptr;
  T* decays_ = nullptr;  // (B H, ceil(T / stride), decays)
  T* for_each_thread_ = nullptr;
};

}  // namespace rlt
