// The inputs of a pass behind those that its sequences remember: [memory_b ; u_b] for each sequence b, all in one
// matrix of rows without gaps, so that what is made of rows is made in few large products.
#pragma once

#include <algorithm>

#include "base/parallel.hpp"
#include "mixing/cell.hpp"
#include "mixing/stream_memory.hpp"
#include "mixing/visibility.hpp"

namespace rlt {

template <std::floating_point T>
class JoinedRows {
 public:
  using Sizes = typename StreamMemory<T>::Sizes;

  /// One slot less than there are is the past of a step: the last one is its own.
  JoinedRows(const Sizes& sizes, Visibility sees) : sizes_(sizes), sees_(sees) {}

  Index most_keys(Extent largest) const { return sizes_.slots - 1 + largest.steps; }
  Index most_rows(Extent largest) const { return product(largest.batch, most_keys(largest)); }
  Index most_distances(Extent largest) const { return std::min(sees_.length, most_keys(largest)); }

  void carve(Workspace& workspace, Extent largest) {
    first_row_ = workspace.tape.take<Index>(largest.batch + 1);
    past_ = workspace.tape.take<Index>(largest.batch);
    seen_from_ = workspace.tape.take<Index>(largest.rows());
    rows_ = workspace.tape.take<T>(most_rows(largest), sizes_.width);
  }

  void join(Sequence<const T> x, const Pass<T>& pass, const StreamMemory<T>& memory) {
    batch_ = x.extent.batch;
    place(x.extent, pass, memory);
    parallel_for(batch_, [&](Index b, int) {
      T* to = rows_ + first_row_[b] * sizes_.width;
      for (Index age = past_[b] - 1; age >= 0; --age) {
        to = std::copy_n(memory.row(b, memory.slot(b, age)), sizes_.width, to);
      }
      std::copy_n(x.rows.row(b * x.extent.steps), x.extent.steps * sizes_.width, to);
    });
  }

  /// The memory takes the last rows of each sequence, none from before a start; keys_values (rows, 2 H d).
  void remember(Extent extent, const Pass<T>& pass, const StreamMemory<T>& memory,
                const T* keys_values) const {
    if (!memory) return;
    parallel_for(batch_, [&](Index b, int) {
      Index from = std::max<Index>(0, extent.steps - sizes_.slots);
      for (Index t = 0; t < extent.steps; ++t) {
        if (!pass.start(extent, b, t)) continue;
        memory.clear(b);
        from = std::max(from, t);
      }
      for (Index row = own_row(b) + from; row < first_row_[b + 1]; ++row) {
        memory.append(b, rows_ + row * sizes_.width, keys_values + row * 2 * sizes_.cached);
      }
    });
  }

  Matrix<const T> rows() const { return {rows_, first_row_[batch_], sizes_.width}; }
  /// Rows of sequence b that come from its memory.
  Index past(Index b) const { return past_[b]; }
  Index first_row(Index b) const { return first_row_[b]; }
  /// The row of its first input.
  Index own_row(Index b) const { return first_row_[b] + past_[b]; }
  /// (T) for each step, the first row of its sequence that it sees.
  const Index* seen_from(Extent extent, Index b) const { return seen_from_ + b * extent.steps; }
  /// Distances 0 .. distances - 1 lie between the steps and what they see.
  Index distances() const { return distances_; }

 private:
  void place(Extent extent, const Pass<T>& pass, const StreamMemory<T>& memory) {
    first_row_[0] = 0;
    distances_ = 0;
    for (Index b = 0; b < extent.batch; ++b) {
      past_[b] = pass.start(extent, b, 0) ? 0 : std::min(memory.count(b), sizes_.slots - 1);
      first_row_[b + 1] = first_row_[b] + past_[b] + extent.steps;
      Index start = -past_[b];
      for (Index t = 0; t < extent.steps; ++t) {
        if (pass.start(extent, b, t)) start = t;
        const Index first = sees_.first(start, t);
        seen_from_[b * extent.steps + t] = past_[b] + first;
        distances_ = std::max(distances_, t - first + 1);
      }
    }
  }

  Sizes sizes_;
  Visibility sees_;
  Index batch_ = 0;
  Index distances_ = 0;
  // tape
  Index* first_row_ = nullptr;  // (B + 1)
  Index* past_ = nullptr;       // (B)
  Index* seen_from_ = nullptr;  // (B, T)
  T* rows_ = nullptr;           // (rows, D)
};

}  // namespace rlt
