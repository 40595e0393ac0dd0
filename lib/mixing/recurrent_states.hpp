// The states of the Block-Recurrent Transformer (arXiv 2203.07852): S vectors that read the tokens once for each block of
// W steps, and what steps read of them. C (S,D), per head of size d = D / H:
//   Q | K | V | Q2 = u W, u = RMS(C) + ID     Q, K, Q2 of unit length (unit_rows.hpp)
//   z1 = attention of Q to all K, V           scaled_attention.hpp
//   z2 = attention of Q2 to the keys and values of the block's tokens and of the W before: no mask
//   C' = update(C, [z1 | z2])                 state_update.hpp; which blocks, of whom: block_plan.hpp
// Backward: updates are undone from the last to the first. K, V get gradients from the steps that read them and from z1,
// tokens from z2. What a sequence carries into the pass is constant, unless the caller wants its gradient.
// ID normal, the first C of a document normal with deviation 0.1 and trained, W LeCun normal.
// Memory: tape per value of the states S (6 D + 3 H), per update 3 S D more and what state_update.hpp keeps.
#pragma once

#include <cstdint>
#include <string>

#include "mixing/block_plan.hpp"
#include "mixing/cell_config.hpp"
#include "mixing/learned_scale.hpp"
#include "mixing/state_update.hpp"
#include "mixing/window_attention.hpp"

namespace rlt {

template <std::floating_point T>
class RecurrentStates {
 public:
  explicit RecurrentStates(const CellConfig& config);

  void declare(ParameterSet<T>& parameters, const std::string& name);
  /// The scratch belongs to the caller's ScratchScope; or it is `kept`, between layers that read these states.
  void carve(Workspace& workspace, Extent largest, bool kept = false);
  Index count() const { return states_; }

  /// Carried by a sequence: [steps in its unfinished block, C (S, D)].
  std::vector<StatePiece> pieces() const {
    return {{"unfinished", {}}, {"states", {states_, width_}}};
  }
  Index carried_size() const { return 1 + states_ * width_; }
  void initial_state(Matrix<T> carried) const;

  /// Forward in three parts, `carried` (B, carried_size()) may be null: `begin` makes ready the values with which the
  /// sequences enter the pass, `update` those of its blocks, and `end` leaves the last ones in `carried`. `attention` has
  /// been through forward.
  struct Begin {
    BlockPlan::Start start;
    bool clear;  // every sequence enters with the initial value
  };
  void begin(Extent extent, const Pass<T>& pass, Matrix<const T> carried, Begin how);
  void update(const WindowAttention<T>& attention);
  void end(Matrix<T> carried) const;
  /// Backward in as many: `begin_backward`, the gradients of what was read, `update_backward`, which adds to those of the
  /// tokens' keys, `end_backward`. `dcarried`, of the shape of `carried`, may be null: on entry the gradient of what `end`
  /// left, in the end of what `begin` took.
  void begin_backward(Matrix<const T> dcarried);
  void update_backward(const WindowAttention<T>& attention);
  void end_backward(Matrix<T> dcarried);

  /// body(first step, steps, value) for runs of steps of sequence b that read the same value of the states.
  template <typename Body>
  void for_each_run(Extent extent, Index b, const Body& body) const {
    for (Index t = 0; t < extent.steps;) {
      const Index read = plan_.read_by(b, t);
      Index end = t + 1;
      while (end < extent.steps && plan_.read_by(b, end) == read) ++end;
      body(t, end - t, read);
      t = end;
    }
  }
  /// K and V of one head, and their gradients, which are added to.
  Matrix<const T> keys(Index value, Index head) const { return part(projected_, value, 1, head); }
  Matrix<const T> values(Index value, Index head) const { return part(projected_, value, 2, head); }
  Matrix<T> dkeys(Index value, Index head) const { return part(dprojected_, value, 1, head); }
  Matrix<T> dvalues(Index value, Index head) const { return part(dprojected_, value, 2, head); }

 private:
  /// The rows of `count` values or updates side by side, `vectors` D numbers each.
  Matrix<T> rows(T* data, Index first, Index count, Index vectors = 1) const {
    return {data + first * states_ * vectors * width_, count * states_, vectors * width_};
  }
  Matrix<T> part(T* projected, Index value, Index vector, Index head) const {
    return rows(projected, value, 1, 4).col_block(vector * width_ + head * d_, d_);
  }
  Matrix<T> read_part(T* reads, Index index, Index vector, Index head) const {
    return rows(reads, index, 1, 2).col_block(vector * width_ + head * d_, d_);
  }
  Index first_value(Index wave) const { return plan_.entries() + plan_.first_update(wave); }
  bool is_learned(Index entry) const { return plan_.starts_anew(entry) || learned_[entry] != 0; }

  void project(Index first, Index count);
  void project_backward(Index first, Index count);
  void update_wave(Index wave, const WindowAttention<T>& attention);
  void update_wave_backward(Index wave, const WindowAttention<T>& attention);
  AttentionTile<T> self_tile(const BlockPlan::Update& update, Index head) const;
  AttentionTile<T> token_tile(const BlockPlan::Update& update, Index head,
                              const WindowKeys<T>& keys) const;

  Index width_;
  Index heads_;
  Index d_;
  Index window_;
  Index states_;
  Extent extent_;
  bool last_is_used_ = false;  // by what follows the pass
  BlockPlan plan_;
  Parameter<T>* initial_ = nullptr;
  Parameter<T>* ids_ = nullptr;
  RmsNorm<T> norm_;
  Linear<T> slow_;
  LearnedScale<T> self_scale_;
  LearnedScale<T> token_scale_;
  StateUpdate<T> update_;
  // tape; values and updates: those of the plan, S rows each
  Index* starts_ = nullptr;  // (B, T) the step of the last start; negative where there is none
  Index* counts_ = nullptr;  // (B) steps of the unfinished blocks before the pass
  std::uint8_t* learned_ = nullptr;  // (B) 1 where the sequence enters with the initial value
  T* c_ = nullptr;                   // (values, D)
  T* u_ = nullptr;                   // (values, D)
  T* projected_ = nullptr;           // (values, 4 D) Q | K | V | Q2
  T* lengths_ = nullptr;             // (values, 3 H) 1 / length of Q, K, Q2
  T* old_ = nullptr;                 // (updates, D) C of the source
  T* reads_ = nullptr;               // (updates, 2 D) z1 | z2
  // scratch
  T* dc_ = nullptr;          // (values, D)
  T* du_ = nullptr;          // (values of one wave, or those before the first, D)
  T* dprojected_ = nullptr;  // (values, 4 D)
  T* dold_ = nullptr;        // (updates of one wave, D)
  T* dreads_ = nullptr;      // (updates of one wave, 2 D)
};

}  // namespace rlt
