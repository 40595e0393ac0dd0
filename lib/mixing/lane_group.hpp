// Heads of sequences in the lanes of vectors: their rows come from batches and go back there.
#pragma once

#include <concepts>

#include "mixing/cell.hpp"
#include "mixing/head_lanes.hpp"
#include "tensor/lanes.hpp"

namespace rlt {

/// Sequences first_row .. first_row + heads.rows - 1 of these heads. Of what is gathered and scattered, `rows` is the
/// first row, those of the other sequences lie `stride` numbers apart, and heads lie side by side, `channels` each.
template <std::floating_point T>
struct LaneGroup {
  using V = Lanes<T>;

  LaneHeads heads;
  Index first_row;

  Index row(Index lane) const { return first_row + lane % heads.rows; }

  /// Ones in the lanes whose sequence starts anew at step t; false if there is none.
  bool starting(const Pass<T>& pass, Extent extent, Index t,
                typename V::batch_bool_type& mask) const {
    if (pass.starts == nullptr) return false;
    alignas(memory_alignment) T marks[static_cast<std::size_t>(lane_count<T>)]{};
    bool any = false;
    for (Index lane = 0; lane < heads.lanes(); ++lane) {
      if (!pass.start(extent, row(lane), t)) continue;
      marks[lane] = T(1);
      any = true;
    }
    mask = V::load_aligned(marks) > V(T(0));
    return any;
  }

  /// Whether a sequence starts at one of the steps first .. last.
  bool any_start(const Pass<T>& pass, Extent extent, Index first, Index last) const {
    if (pass.starts == nullptr) return false;
    for (Index lane = 0; lane < heads.rows; ++lane) {
      for (Index t = first; t <= last; ++t) {
        if (pass.start(extent, row(lane), t)) return true;
      }
    }
    return false;
  }

  void gather(const T* rows, Index stride, Index channels, V* out) const {
    if (heads.lanes() == 1) return broadcast_lanes(rows + heads.first * channels, channels, out);
    gather_lanes<T>(lane_rows(rows, stride, channels), heads.lanes(), channels, out);
  }
  void scatter(const V* in, Index channels, T* rows, Index stride) const {
    if (heads.lanes() == 1) return first_lane(in, channels, rows + heads.first * channels);
    scatter_lanes<T>(in, channels, heads.lanes(), lane_rows(rows, stride, channels));
  }

 private:
  template <typename Number>
  auto lane_rows(Number* rows, Index stride, Index channels) const {
    return [=, heads = heads](Index lane) {
      return rows + lane % heads.rows * stride + (heads.first + lane / heads.rows) * channels;
    };
  }
};

}  // namespace rlt
