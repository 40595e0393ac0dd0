// The frame of every cell whose heads run their own recurrence on a small state: slow projection, one
// recurrence per head, output projection. The recurrence itself is a Rule; its file has the equations.
//
// Memory: lane_count sequences of one head form a group, or all sequences of several heads where the batch is small
// (head_lanes.hpp); time runs inside, so that a group's state stays in cache. The tape holds the Rule's `kept` vectors of
// every step, and one state per span of `stride` steps (O(T d) for d <= stride). Backward of a reversible Rule begins with
// the state kept after a span and takes one change after the other back: one state in cache is enough, and the error is
// the rounding of at most `stride` additions. Where a sequence starts inside the span, and always for other Rules, it
// replays the span from its beginning. A pass that keeps nothing has the tape of one step.
#pragma once

#include <algorithm>
#include <concepts>
#include <string>
#include <string_view>
#include <vector>

#include "base/parallel.hpp"
#include "mixing/cell.hpp"
#include "mixing/cell_config.hpp"
#include "mixing/fast_weight_rule.hpp"
#include "mixing/head_lanes.hpp"
#include "mixing/lane_group.hpp"
#include "nn/linear.hpp"
#include "tensor/lanes.hpp"

namespace rlt {

template <std::floating_point T, FastWeightRule<T> Rule>
class FastWeightCell : public Cell<T> {
 public:
  explicit FastWeightCell(const CellConfig& config)
      : width_(config.d_model),
        heads_(config.heads),
        rule_(config),
        state_(state_layout(0).size() / heads_) {}

  void declare(ParameterSet<T>& parameters, std::string_view prefix) override {
    const std::string name(prefix);
    if constexpr (Rule::projects) {
      slow_.declare(parameters, name + ".slow", width_, heads_ * rule_.inputs, Bias::none);
    }
    rule_.declare(parameters, prefix);
    out_.declare(parameters, name + ".out", mixed_width(), width_, Bias::none);
  }

  void carve(Workspace& workspace, Extent largest) override {
    rule_.prepare();
    const Index rows = largest.rows();
    const Index groups = head_lanes(largest.batch).groups();
    mixed_ = workspace.tape.take<T>(rows, mixed_width());
    kept_ = workspace.tape.take<V>(groups, largest.steps, rule_.kept);
    checkpoints_ = workspace.tape.take<V>(groups, checkpoint_count(largest), state_);
    const ScratchScope scope(workspace);
    if constexpr (Rule::projects) inputs_ = workspace.scratch.take<T>(rows, heads_, rule_.inputs);
    dmixed_ = workspace.scratch.take<T>(rows, mixed_width());
    emitted_ = workspace.scratch.take<T>(rows, heads_, rule_.emitted);
    dinitial_ = workspace.scratch.take<T>(
        Rule::learns_initial_state ? row_blocks_of(largest.batch) * heads_ : 0, state_);
    for_each_thread_ = workspace.scratch.take<V>(thread_count(), thread_vectors());
    if constexpr (Rule::projects) slow_.carve(workspace, rows);
    out_.carve(workspace, rows);
  }

  StateLayout state_layout(Index /*context*/) const override {
    return {.pieces = rule_.pieces(), .copies = heads_, .in_lanes = true};
  }

  void initial_state(Matrix<T> state) const override {
    std::vector<V> fresh(static_cast<std::size_t>(state_));
    for (Index head = 0; head < heads_; ++head) {
      refresh_head(head, fresh.data());
      for (Index row = 0; row < state.rows; ++row) {
        first_lane(fresh.data(), state_, state.row(row) + head * state_);
      }
    }
  }

  void forward(Sequence<const T> x, const Pass<T>& pass, Sequence<T> y) override {
    pass_ = pass;
    const Extent extent = x.extent;
    if constexpr (Rule::projects) slow_.forward(x.rows, input_rows(extent));
    const Matrix<const T> in = Rule::projects ? Matrix<const T>(input_rows(extent)) : x.rows;
    parallel_for(head_lanes(extent.batch).groups(), [&](Index group, int thread) {
      forward_group(extent, group, in, for_each_thread_ + thread * thread_vectors());
    });
    out_.forward(mixed_rows(extent, mixed_), y.rows);
  }

  void backward(Sequence<const T> x, Sequence<const T> dy, Sequence<T> dx) override {
    const Extent extent = x.extent;
    // y = mixed W_out
    out_.backward(mixed_rows(extent, mixed_), dy.rows, mixed_rows(extent, dmixed_));
    // mixed = every head's recurrence on its slice of a
    const Matrix<T> din = Rule::projects ? input_rows(extent) : dx.rows;
    parallel_for(head_lanes(extent.batch).groups(), [&](Index group, int thread) {
      backward_group(extent, group, din, for_each_thread_ + thread * thread_vectors());
    });
    rule_.backward_parameters({emitted_, extent.rows(), heads_ * rule_.emitted}, din);
    // the state before the first step
    if constexpr (Rule::learns_initial_state) {
      for (Index i = 0; i < row_blocks_of(extent.batch) * heads_; ++i) {
        rule_.backward_initial(i % heads_, dinitial_ + i * state_);
      }
    }
    // a = x W_slow
    if constexpr (Rule::projects) slow_.backward(x.rows, din, dx.rows);
  }

 private:
  using V = Lanes<T>;
  static constexpr Index stride = 32;  // steps from one kept state to the next

  // One before the first step of each span, and one after the last step.
  static Index checkpoint_count(Extent extent) { return divide_up(extent.steps, stride) + 1; }
  HeadLanes head_lanes(Index batch) const { return {batch, heads_, lane_count<T>}; }
  static Index row_blocks_of(Index batch) { return divide_up(batch, lane_count<T>); }
  Index thread_vectors() const {
    return rule_.inputs + (stride + (Rule::reversible ? 3 : 4)) * state_ + rule_.outputs +
           rule_.emitted;
  }
  Index mixed_width() const { return heads_ * rule_.outputs; }
  Matrix<T> mixed_rows(Extent extent, T* data) const {
    return {data, extent.rows(), mixed_width()};
  }
  Matrix<T> input_rows(Extent extent) const {
    return {inputs_, extent.rows(), heads_ * rule_.inputs};
  }

  LaneGroup<T> group_at(Extent extent, Index index) const {
    const HeadLanes lanes = head_lanes(extent.batch);
    return {lanes.at(index), lanes.first_row(index)};
  }

  // A vector of outputs, or of their gradients.
  void scale_output(V* values) const {
    if (rule_.output_scale == T(1)) return;
    for (Index i = 0; i < rule_.outputs; ++i) values[i] *= rule_.output_scale;
  }

  void refresh_head(Index head, V* state) const {
    std::fill_n(state, state_, V(T(0)));
    rule_.initial(head, state);
  }

  // `spare`: room for one more state.
  void refresh(const LaneHeads& heads, V* state, V* spare) const {
    refresh_head(heads.first, state);
    for (Index j = 1; j < heads.count; ++j) {
      refresh_head(heads.first + j, spare);
      const auto lanes_of_head = heads.mask<T>(j);
      for (Index i = 0; i < state_; ++i) {
        state[i] = xsimd::select(lanes_of_head, spare[i], state[i]);
      }
    }
  }

  // `fresh`: room for two states.
  void restart(const LaneHeads& heads, const typename V::batch_bool_type& mask, V* state,
               V* fresh) const {
    refresh(heads, fresh, fresh + state_);
    for (Index i = 0; i < state_; ++i) state[i] = xsimd::select(mask, fresh[i], state[i]);
  }

  void forward_group(Extent extent, Index index, Matrix<const T> in, V* scratch) {
    const LaneGroup<T> group = group_at(extent, index);
    V* const inputs = scratch;
    V* const fresh = inputs + rule_.inputs;
    V* const out = fresh + 2 * state_;
    V* state = out + rule_.outputs;
    const bool keeps = pass_.keep == Pass<T>::Keep::tape;
    T* const carried = pass_.state.data != nullptr ? pass_.state.row(group.first_row) : nullptr;
    if (pass_.lanes != nullptr) {
      state = reinterpret_cast<V*>(pass_.lanes) + index * state_;
    } else if (carried != nullptr) {
      group.gather(carried, pass_.state.stride, state_, state);
    } else {
      refresh(group.heads, state, fresh);
    }
    typename V::batch_bool_type mask;
    for (Index t = 0; t < extent.steps; ++t) {
      if (keeps && t % stride == 0) {
        std::copy_n(state, state_, checkpoint(extent, index, t / stride));
      }
      if (group.starting(pass_, extent, t, mask)) restart(group.heads, mask, state, fresh);
      const Index row = group.first_row * extent.steps + t;
      group.gather(in.row(row), extent.steps * in.stride, rule_.inputs, inputs);
      rule_.step(group.heads, inputs, state, kept(extent, index, keeps ? t : 0), out);
      scale_output(out);
      group.scatter(out, rule_.outputs, mixed_ + row * mixed_width(), extent.steps * mixed_width());
    }
    if (keeps) {
      std::copy_n(state, state_, checkpoint(extent, index, checkpoint_count(extent) - 1));
    }
    if (carried != nullptr) group.scatter(state, state_, carried, pass_.state.stride);
  }

  void backward_group(Extent extent, Index index, Matrix<T> din, V* scratch) {
    const LaneGroup<T> group = group_at(extent, index);
    V* const dinputs = scratch;
    V* const states = dinputs + rule_.inputs;  // of a replayed span: after each of its steps
    V* const dstate = states + stride * state_;
    V* const dout = dstate + state_;
    V* const emitted = dout + rule_.outputs;
    V* const fresh = emitted + rule_.emitted;
    std::fill_n(dstate, state_, V(T(0)));
    T* const dinitial =
        dinitial_ + (group.first_row / lane_count<T> * heads_ + group.heads.first) * state_;
    if constexpr (Rule::learns_initial_state) {
      std::fill_n(dinitial, group.heads.count * state_, T(0));
    }
    typename V::batch_bool_type mask;
    for (Index span = divide_up(extent.steps, stride) - 1; span >= 0; --span) {
      const Index first = span * stride;
      const Index last = std::min(extent.steps, first + stride) - 1;
      const bool replays = !Rule::reversible || group.any_start(pass_, extent, first + 1, last);
      if (replays) {
        replay_span(extent, group, index, first, last, states, fresh);
      } else {
        std::copy_n(checkpoint(extent, index, span + 1), state_, states);
      }
      for (Index t = last; t >= first; --t) {
        V* const state = replays ? states + (t - first) * state_ : states;
        const Index row = group.first_row * extent.steps + t;
        group.gather(dmixed_ + row * mixed_width(), extent.steps * mixed_width(), rule_.outputs,
                     dout);
        // the Rule's output times output_scale
        scale_output(dout);
        // the Rule's step
        const bool starts = group.starting(pass_, extent, t, mask);
        if constexpr (Rule::reversible) {
          rule_.step_backward(group.heads, kept(extent, index, t), state, dout, dstate, dinputs,
                              emitted);
        } else {
          const V* before = t == first ? checkpoint(extent, index, span) : state - state_;
          if (starts) {
            std::copy_n(before, state_, previous(fresh));
            restart(group.heads, mask, previous(fresh), fresh);
            before = previous(fresh);
          }
          rule_.step_backward(group.heads, kept(extent, index, t), before, state, dout, dstate,
                              dinputs, emitted);
        }
        group.scatter(dinputs, rule_.inputs, din.row(row), extent.steps * din.stride);
        if (rule_.emitted > 0) {
          const Index width = heads_ * rule_.emitted;
          group.scatter(emitted, rule_.emitted, emitted_ + row * width, extent.steps * width);
        }
        // a fresh state where a sequence starts
        if (starts) {
          if constexpr (Rule::learns_initial_state) add_initial(group, mask, dstate, dinitial);
          for (Index i = 0; i < state_; ++i) {
            dstate[i] = xsimd::select(mask, V(T(0)), dstate[i]);
          }
        }
      }
    }
    if constexpr (Rule::learns_initial_state) {
      if (!pass_.carries()) add_initial(group, V(T(1)) > V(T(0)), dstate, dinitial);
    }
  }

  // Room for one more state behind the two of `fresh`.
  V* previous(V* fresh) const { return fresh + 2 * state_; }

  // From the state kept before a span to the state after each of its steps.
  void replay_span(Extent extent, const LaneGroup<T>& group, Index index, Index first, Index last,
                   V* states, V* fresh) const {
    typename V::batch_bool_type mask;
    const V* before = checkpoint(extent, index, first / stride);
    for (Index t = first; t <= last; ++t) {
      V* const state = states + (t - first) * state_;
      std::copy_n(before, state_, state);
      if (group.starting(pass_, extent, t, mask)) restart(group.heads, mask, state, fresh);
      rule_.replay(kept(extent, index, t), state);
      before = state;
    }
  }

  // Adds the gradient of the initial state, for each head summed over the marked lanes; `sums` of the group's first.
  void add_initial(const LaneGroup<T>& group, const typename V::batch_bool_type& mask,
                   const V* dstate, T* sums) const {
    const Index rows = group.heads.rows;
    for (Index i = 0; i < state_; ++i) {
      const V marked = xsimd::select(mask, dstate[i], V(T(0)));
      for (Index j = 0; j < group.heads.count; ++j) {
        T sum(0);
        for (Index lane = j * rows; lane < (j + 1) * rows; ++lane) {
          sum += marked.get(static_cast<std::size_t>(lane));
        }
        sums[j * state_ + i] += sum;
      }
    }
  }

  V* kept(Extent extent, Index group, Index t) const {
    return kept_ + (group * extent.steps + t) * rule_.kept;
  }
  V* checkpoint(Extent extent, Index group, Index span) const {
    return checkpoints_ + (group * checkpoint_count(extent) + span) * state_;
  }

  Index width_;
  Index heads_;
  Rule rule_;
  Index state_;  // numbers of a head
  Linear<T> slow_;
  Linear<T> out_;
  Pass<T> pass_;
  // tape
  T* mixed_ = nullptr;        // (B T, D) the heads' outputs
  V* kept_ = nullptr;         // (groups, T, kept)
  V* checkpoints_ = nullptr;  // (groups, ceil(T / stride) + 1, state)
  // scratch
  T* inputs_ = nullptr;  // (B T, H inputs): slow projection in forward, its gradient in backward
  T* dmixed_ = nullptr;
  T* emitted_ = nullptr;
  T* dinitial_ = nullptr;  // (ceil(B / lane_count), H, state)
  V* for_each_thread_ = nullptr;
};

}  // namespace rlt
