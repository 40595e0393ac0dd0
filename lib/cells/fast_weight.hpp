// The frame of every cell whose heads run their own recurrence on a small state: slow projection, one
// recurrence per head, output projection. The recurrence itself is a `Rule`; its file has the equations.
//
// Memory: lane_count sequences of one head form a group; a group keeps its state in cache while time runs
// inside. The tape holds the Rule's `kept` vectors of every step and one state in `stride` steps
// (O(T d) for d <= stride). Backward walks back from the kept state after a segment by taking each change away
// again, which needs no more than one state in cache; the rounding of at most `stride` additions is that of
// the forward sums. Where a sequence starts inside the segment, it replays the segment from its beginning.
//
// A Rule is a class template on T with (V = Lanes<T>):
//   explicit Rule(const CellConfig&);
//   static constexpr bool projects;            // false: the head reads its slice of x itself
//   static constexpr bool learns_initial_state;
//   Index inputs, state, kept, emitted;        // vectors per head (and step)
//   T output_scale;                            // factor on what the head puts out
//   void declare(ParameterSet<T>&, prefix);    // its own parameters; may declare none
//   void prepare();                            // tables of its own, once the parameters have found room
//   void initial(Index head, V* state) const;
//   void step(Index head, V* in, V* state, V* kept, V* out) const;  // may use `in` as scratch
//   void replay(const V* kept, V* state) const;  // what `step` did to that part of the state which
//                                              // step_backward reads
//   void step_backward(Index head, const V* kept, V* state, const V* dout, V* dstate, V* din,
//                      V* emitted) const;      // state (the same part), dstate (its gradient): after the
//                                              // step on entry, before it on return
//   void backward_parameters(Extent, Matrix<const T> emitted, Matrix<const T> din);
//   void backward_initial(Index head, const T* gradient); // if learns_initial_state
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "base/parallel.hpp"
#include "cells/registry.hpp"
#include "nn/linear.hpp"
#include "tensor/lanes.hpp"

namespace rlt {

/// What most Rules do not need. A Rule inherits it and hides what it has of its own.
template <typename T>
class PlainRule {
 public:
  using V = Lanes<T>;
  static constexpr bool projects = true;
  static constexpr bool learns_initial_state = false;
  static constexpr Index emitted = 0;
  static constexpr T output_scale = T(1);

  void declare(ParameterSet<T>&, std::string_view) {}
  void prepare() {}
  void backward_parameters(Extent, Matrix<const T>, Matrix<const T>) {}
};

/// `scale`: the switch of the language models of arXiv 2106.06295.
inline Option scale_option() {
  return {.name = "scale",
          .value = "none",
          .help = "rsqrt: outputs of a head of size d times 1 / sqrt(d)",
          .choices = {"none", "rsqrt"}};
}
template <typename T>
T output_scale_of(const CellConfig& config) {
  return config.text("scale") == "rsqrt" ? T(1) / std::sqrt(static_cast<T>(config.head_size()))
                                         : T(1);
}

template <std::floating_point T, typename Rule>
class FastWeightCell : public Cell<T> {
 public:
  explicit FastWeightCell(const CellConfig& config)
      : width_(config.d_model), heads_(config.heads), head_(config.head_size()), rule_(config) {}

  void declare(ParameterSet<T>& parameters, std::string_view prefix) override {
    const std::string name(prefix);
    if constexpr (Rule::projects) {
      slow_.declare(parameters, name + ".slow", width_, heads_ * rule_.inputs, Bias::none);
    }
    rule_.declare(parameters, prefix);
    out_.declare(parameters, name + ".out", width_, width_, Bias::none);
  }

  void carve(Workspace& workspace, Extent largest) override {
    rule_.prepare();
    const Index rows = largest.rows();
    const Index groups = group_count(largest.batch);
    mixed_ = workspace.tape.take<T>(rows, width_);
    kept_ = workspace.tape.take<V>(groups, largest.steps, rule_.kept);
    checkpoints_ = workspace.tape.take<V>(groups, checkpoint_count(largest), rule_.state);
    const ScratchScope scope(workspace);
    if constexpr (Rule::projects) inputs_ = workspace.scratch.take<T>(rows, heads_, rule_.inputs);
    dmixed_ = workspace.scratch.take<T>(rows, width_);
    emitted_ = workspace.scratch.take<T>(rows, heads_, rule_.emitted);
    dinitial_ = workspace.scratch.take<T>(Rule::learns_initial_state ? groups : 0, rule_.state);
    for_each_thread_ = workspace.scratch.take<V>(thread_count(), thread_vectors());
    if constexpr (Rule::projects) slow_.carve(workspace, rows);
    out_.carve(workspace, rows);
  }

  Index state_size(Index /*context*/) const override { return heads_ * rule_.state; }

  void initial_state(Matrix<T> state) const override {
    std::vector<V> fresh(static_cast<std::size_t>(rule_.state));
    for (Index head = 0; head < heads_; ++head) {
      rule_.initial(head, fresh.data());
      for (Index row = 0; row < state.rows; ++row) {
        for (Index i = 0; i < rule_.state; ++i) {
          state.data[row * state.stride + head * rule_.state + i] = fresh[i].get(0);
        }
      }
    }
  }

  void forward(Extent extent, const Tensor<T, 3>& x, const Carry<T>& carry,
               Tensor<T, 3>& y) override {
    carry_ = carry;
    const Matrix<const T> rows(x.data(), extent.rows(), width_);
    if constexpr (Rule::projects) slow_.forward(rows, input_rows(extent));
    const Matrix<const T> in = Rule::projects ? Matrix<const T>(input_rows(extent)) : rows;
    parallel_for(group_count(extent.batch), [&](Index group, int thread) {
      forward_group(extent, group, in, for_each_thread_ + thread * thread_vectors());
    });
    out_.forward({mixed_, extent.rows(), width_}, {y.data(), extent.rows(), width_});
  }

  void backward(Extent extent, const Tensor<T, 3>& x, const Tensor<T, 3>& dy,
                Tensor<T, 3>& dx) override {
    const Matrix<const T> rows(x.data(), extent.rows(), width_);
    const Matrix<T> drows(dx.data(), extent.rows(), width_);
    out_.backward({mixed_, extent.rows(), width_}, {dy.data(), extent.rows(), width_},
                  {dmixed_, extent.rows(), width_});
    const Matrix<T> din = Rule::projects ? input_rows(extent) : drows;
    parallel_for(group_count(extent.batch), [&](Index group, int thread) {
      backward_group(extent, group, din, for_each_thread_ + thread * thread_vectors());
    });
    rule_.backward_parameters(extent, {emitted_, extent.rows(), heads_ * rule_.emitted}, din);
    if constexpr (Rule::learns_initial_state) {
      for (Index group = 0; group < group_count(extent.batch); ++group) {
        rule_.backward_initial(group % heads_, dinitial_ + group * rule_.state);
      }
    }
    if constexpr (Rule::projects) slow_.backward(rows, din, drows);
  }

 private:
  using V = Lanes<T>;
  static constexpr Index stride = 32;  // one state kept in so many steps

  // One before the first step of each segment, and one after the last step.
  static Index checkpoint_count(Extent extent) { return divide_up(extent.steps, stride) + 1; }
  Index group_count(Index batch) const { return divide_up(batch, lane_count<T>) * heads_; }
  Index thread_vectors() const {
    return rule_.inputs + (stride + 2) * rule_.state + head_ + rule_.emitted;
  }
  Matrix<T> input_rows(Extent extent) const {
    return {inputs_, extent.rows(), heads_ * rule_.inputs};
  }

  // Sequences first_row .. first_row + rows - 1 of one head.
  struct Group {
    Index head, first_row, rows;
  };
  Group group_at(Extent extent, Index group) const {
    const Index first = group / heads_ * lane_count<T>;
    return {group % heads_, first, std::min(lane_count<T>, extent.batch - first)};
  }

  // Ones in the lanes whose sequence starts anew at step t; false if there is none.
  bool starting(Extent extent, const Group& group, Index t,
                typename V::batch_bool_type& mask) const {
    if (carry_.starts == nullptr) return false;
    alignas(memory_alignment) T marks[static_cast<std::size_t>(lane_count<T>)]{};
    bool any = false;
    for (Index lane = 0; lane < group.rows; ++lane) {
      if (!carry_.start(extent, group.first_row + lane, t)) continue;
      marks[lane] = T(1);
      any = true;
    }
    mask = V::load_aligned(marks) > V(T(0));
    return any;
  }

  bool any_start(Extent extent, const Group& group, Index first, Index last) const {
    if (carry_.starts == nullptr) return false;
    for (Index lane = 0; lane < group.rows; ++lane) {
      for (Index t = first; t <= last; ++t) {
        if (carry_.start(extent, group.first_row + lane, t)) return true;
      }
    }
    return false;
  }

  // A vector of outputs, or of their gradients.
  void scale_output(V* values) const {
    if (rule_.output_scale == T(1)) return;
    for (Index i = 0; i < head_; ++i) values[i] *= rule_.output_scale;
  }

  void restart(Index head, const typename V::batch_bool_type& mask, V* state, V* fresh) const {
    rule_.initial(head, fresh);
    for (Index i = 0; i < rule_.state; ++i) state[i] = xsimd::select(mask, fresh[i], state[i]);
  }

  void forward_group(Extent extent, Index index, Matrix<const T> in, V* scratch) {
    const Group group = group_at(extent, index);
    V* const inputs = scratch;
    V* const state = inputs + rule_.inputs;
    V* const fresh = state + rule_.state;
    V* const out = fresh + rule_.state;
    const bool carries = carry_.state.data != nullptr;
    T* const carried = carries ? carry_.state.data + group.first_row * carry_.state.stride +
                                     group.head * rule_.state
                               : nullptr;
    if (carries) {
      gather_lanes(carried, carry_.state.stride, group.rows, rule_.state, state);
    } else {
      rule_.initial(group.head, state);
    }
    typename V::batch_bool_type mask;
    for (Index t = 0; t < extent.steps; ++t) {
      if (t % stride == 0) {
        std::copy_n(state, rule_.state, checkpoint(extent, index, t / stride));
      }
      if (starting(extent, group, t, mask)) restart(group.head, mask, state, fresh);
      const Index row = group.first_row * extent.steps + t;
      gather_lanes(in.data + row * in.stride + group.head * rule_.inputs, extent.steps * in.stride,
                   group.rows, rule_.inputs, inputs);
      rule_.step(group.head, inputs, state, kept(extent, index, t), out);
      scale_output(out);
      scatter_lanes(out, head_, group.rows, mixed_ + row * width_ + group.head * head_,
                    extent.steps * width_);
    }
    std::copy_n(state, rule_.state, checkpoint(extent, index, checkpoint_count(extent) - 1));
    if (carries) scatter_lanes(state, rule_.state, group.rows, carried, carry_.state.stride);
  }

  void backward_group(Extent extent, Index index, Matrix<T> din, V* scratch) {
    const Group group = group_at(extent, index);
    V* const dinputs = scratch;
    V* const states = dinputs + rule_.inputs;  // of a replayed segment: after each of its steps
    V* const dstate = states + stride * rule_.state;
    V* const dout = dstate + rule_.state;
    V* const emitted = dout + head_;
    V* const fresh = emitted + rule_.emitted;
    std::fill_n(dstate, rule_.state, V(T(0)));
    T* const dinitial = dinitial_ + index * rule_.state;
    if constexpr (Rule::learns_initial_state) std::fill_n(dinitial, rule_.state, T(0));
    typename V::batch_bool_type mask;
    for (Index segment = divide_up(extent.steps, stride) - 1; segment >= 0; --segment) {
      const Index first = segment * stride;
      const Index last = std::min(extent.steps, first + stride) - 1;
      const bool replays = any_start(extent, group, first + 1, last);
      if (replays) {
        replay_segment(extent, group, index, first, last, states, fresh);
      } else {
        std::copy_n(checkpoint(extent, index, segment + 1), rule_.state, states);
      }
      for (Index t = last; t >= first; --t) {
        V* const state = replays ? states + (t - first) * rule_.state : states;
        const Index row = group.first_row * extent.steps + t;
        gather_lanes(dmixed_ + row * width_ + group.head * head_, extent.steps * width_, group.rows,
                     head_, dout);
        scale_output(dout);
        rule_.step_backward(group.head, kept(extent, index, t), state, dout, dstate, dinputs,
                            emitted);
        scatter_lanes(dinputs, rule_.inputs, group.rows,
                      din.data + row * din.stride + group.head * rule_.inputs,
                      extent.steps * din.stride);
        if (rule_.emitted > 0) {
          scatter_lanes(emitted, rule_.emitted, group.rows,
                        emitted_ + (row * heads_ + group.head) * rule_.emitted,
                        extent.steps * heads_ * rule_.emitted);
        }
        if (starting(extent, group, t, mask)) {
          if constexpr (Rule::learns_initial_state) add_initial(group, mask, dstate, dinitial);
          for (Index i = 0; i < rule_.state; ++i) {
            dstate[i] = xsimd::select(mask, V(T(0)), dstate[i]);
          }
        }
      }
    }
    if constexpr (Rule::learns_initial_state) {
      if (carry_.state.data == nullptr) add_initial(group, V(T(1)) > V(T(0)), dstate, dinitial);
    }
  }

  // From the kept state at the start of a segment to the state after each of its steps.
  void replay_segment(Extent extent, const Group& group, Index index, Index first, Index last,
                      V* states, V* fresh) const {
    typename V::batch_bool_type mask;
    const V* before = checkpoint(extent, index, first / stride);
    for (Index t = first; t <= last; ++t) {
      V* const state = states + (t - first) * rule_.state;
      std::copy_n(before, rule_.state, state);
      if (starting(extent, group, t, mask)) restart(group.head, mask, state, fresh);
      rule_.replay(kept(extent, index, t), state);
      before = state;
    }
  }

  // Adds the gradient of the initial state, summed over the marked lanes that hold a sequence.
  void add_initial(const Group& group, const typename V::batch_bool_type& mask, const V* dstate,
                   T* sums) const {
    for (Index i = 0; i < rule_.state; ++i) {
      const V marked = xsimd::select(mask, dstate[i], V(T(0)));
      T sum(0);
      for (Index lane = 0; lane < group.rows; ++lane)
        sum += marked.get(static_cast<std::size_t>(lane));
      sums[i] += sum;
    }
  }

  V* kept(Extent extent, Index group, Index t) const {
    return kept_ + (group * extent.steps + t) * rule_.kept;
  }
  V* checkpoint(Extent extent, Index group, Index segment) const {
    return checkpoints_ + (group * checkpoint_count(extent) + segment) * rule_.state;
  }

  Index width_;
  Index heads_;
  Index head_;
  Rule rule_;
  Linear<T> slow_;
  Linear<T> out_;
  Carry<T> carry_;
  // tape
  T* mixed_ = nullptr;        // (B T, D) the heads' outputs
  V* kept_ = nullptr;         // (groups, T, kept)
  V* checkpoints_ = nullptr;  // (groups, ceil(T / stride) + 1, state)
  // scratch
  T* inputs_ = nullptr;  // (B T, H inputs): slow projection in forward, its gradient in backward
  T* dmixed_ = nullptr;
  T* emitted_ = nullptr;
  T* dinitial_ = nullptr;  // (groups, state)
  V* for_each_thread_ = nullptr;
};

}  // namespace rlt
