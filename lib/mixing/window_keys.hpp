// Keys and values of a pass behind those that its sequences carry: for each sequence P rows of the past, then its own
// steps. The state holds the last P rows, K (P, H d) and V (P, H d); zeros where a document has no past yet.
#pragma once

#include <algorithm>
#include <vector>

#include "base/parallel.hpp"
#include "mixing/cell.hpp"

namespace rlt {

template <std::floating_point T>
class WindowKeys {
 public:
  WindowKeys(Index past, Index inner) : past_(past), inner_(inner) {}

  std::vector<StatePiece> pieces() const {
    return {{"keys", {past_, inner_}}, {"values", {past_, inner_}}};
  }
  Index most_keys(Extent largest) const { return past_ + largest.steps; }
  void carve(Workspace& workspace, Extent largest) {
    starts_ = workspace.tape.take<Index>(largest.rows());
    rows_ = workspace.tape.take<T>(largest.batch, most_keys(largest), 2 * inner_);
  }
  /// The gradients' room; it belongs to the caller's ScratchScope.
  void carve_gradients(Workspace& workspace, Extent largest) {
    drows_ = workspace.scratch.take<T>(largest.batch, most_keys(largest), 2 * inner_);
  }

  /// k | v (B T, 2 H d); `state` (B, size of the pieces) may be null.
  void join(Extent extent, const Pass<T>& pass, Matrix<const T> state,
            Matrix<const T> keys_values) {
    extent_ = extent;
    parallel_for(extent.batch, [&](Index b, int) {
      Index start = state.data == nullptr ? 0 : -past_;
      for (Index t = 0; t < extent.steps; ++t) {
        if (pass.start(extent, b, t)) start = t;
        starts_[b * extent.steps + t] = start;
      }
      T* to = rows_ + b * (past_ + extent.steps) * 2 * inner_;
      for (Index row = 0; row < past_; ++row, to += 2 * inner_) {
        if (state.data == nullptr) {
          std::fill_n(to, 2 * inner_, T(0));
        } else {
          std::copy_n(state.row(b) + row * inner_, inner_, to);
          std::copy_n(state.row(b) + (past_ + row) * inner_, inner_, to + inner_);
        }
      }
      for (Index t = 0; t < extent.steps; ++t, to += 2 * inner_) {
        std::copy_n(keys_values.row(b * extent.steps + t), 2 * inner_, to);
      }
    });
  }

  /// The state takes the last rows, none from before a start.
  void remember(Matrix<T> state) const {
    if (state.data == nullptr) return;
    parallel_for(extent_.batch, [&](Index b, int) {
      for (Index row = 0; row < past_; ++row) {
        T* const key = state.row(b) + row * inner_;
        T* const value = key + past_ * inner_;
        if (extent_.steps - past_ + row < start(b, extent_.steps - 1)) {
          std::fill_n(key, inner_, T(0));
          std::fill_n(value, inner_, T(0));
        } else {
          const T* const from =
              rows_ + (b * (past_ + extent_.steps) + extent_.steps + row) * 2 * inner_;
          std::copy_n(from, inner_, key);
          std::copy_n(from + inner_, inner_, value);
        }
      }
    });
  }

  const Index* starts() const { return starts_; }
  /// The step of the last start, up to and with step t; -P where there is none.
  Index start(Index b, Index t) const { return starts_[b * extent_.steps + t]; }
  /// `count` rows of one head from that step on; steps before the pass are negative.
  Matrix<const T> keys(Index b, Index col, Index size, Index step, Index count) const {
    return part(rows_, b, col, size, step, count);
  }
  Matrix<const T> values(Index b, Index col, Index size, Index step, Index count) const {
    return part(rows_, b, inner_ + col, size, step, count);
  }

  /// Gradients of the rows: set to 0 or, where the state took them along, to `dstate` (of its shape, may be null); added
  /// to; those of the own steps fetched, and those of what was carried into the pass left in `dstate`.
  void begin_backward(Matrix<const T> dstate) {
    const Index size = (past_ + extent_.steps) * 2 * inner_;
    parallel_for(extent_.batch, [&](Index b, int) {
      std::fill_n(drows_ + b * size, size, T(0));
      if (dstate.data == nullptr) return;
      for (Index row = 0; row < past_; ++row) {
        const Index t = extent_.steps - past_ + row;
        if (t < start(b, extent_.steps - 1)) continue;  // remembered as zeros
        T* const to = dkeys(b, 0, inner_, t, 1).data;
        std::copy_n(dstate.row(b) + row * inner_, inner_, to);
        std::copy_n(dstate.row(b) + (past_ + row) * inner_, inner_, to + inner_);
      }
    });
  }
  Matrix<T> dkeys(Index b, Index col, Index size, Index step, Index count) const {
    return part(drows_, b, col, size, step, count);
  }
  Matrix<T> dvalues(Index b, Index col, Index size, Index step, Index count) const {
    return part(drows_, b, inner_ + col, size, step, count);
  }
  void end_backward(Matrix<T> dkeys_values, Matrix<T> dstate) const {
    parallel_for(extent_.batch, [&](Index b, int) {
      for (Index t = 0; t < extent_.steps; ++t) {
        std::copy_n(dkeys(b, 0, inner_, t, 1).data, 2 * inner_,
                    dkeys_values.row(b * extent_.steps + t));
      }
      if (dstate.data == nullptr) return;
      for (Index row = 0; row < past_; ++row) {
        const T* const from = dkeys(b, 0, inner_, row - past_, 1).data;
        std::copy_n(from, inner_, dstate.row(b) + row * inner_);
        std::copy_n(from + inner_, inner_, dstate.row(b) + (past_ + row) * inner_);
      }
    });
  }

 private:
  Matrix<T> part(T* rows, Index b, Index col, Index size, Index step, Index count) const {
    const Index row = b * (past_ + extent_.steps) + past_ + step;
    return {rows + row * 2 * inner_ + col, count, size, 2 * inner_};
  }

  Index past_;
  Index inner_;
  Extent extent_;
  // tape
  Index* starts_ = nullptr;  // (B, T)
  T* rows_ = nullptr;        // (B, P + T, 2 H d)
  // scratch
  T* drows_ = nullptr;
};

}  // namespace rlt
