// Which head of which sequence a lane holds. Cells whose heads run their own recurrence work on groups of lanes.
#pragma once

#include <algorithm>
#include <array>

#include "mixing/fast_matrix.hpp"
#include "tensor/lanes.hpp"

namespace rlt {

/// The heads of one group: lanes [j rows, (j + 1) rows) hold `rows` sequences of head first + j.
struct LaneHeads {
  Index first = 0;
  Index count = 1;
  Index rows = 0;

  Index lanes() const { return count * rows; }
  /// The lanes of head first + j.
  template <typename T>
  typename Lanes<T>::batch_bool_type mask(Index j) const {
    std::array<T, static_cast<std::size_t>(lane_count<T>)> marks{};
    std::fill_n(marks.begin() + j * rows, rows, T(1));
    return Lanes<T>::load_unaligned(marks.data()) > Lanes<T>(T(0));
  }

  /// body(head, values) for every head, with 0 in the lanes of other heads: weights of one head are plain numbers, and
  /// what a body adds for its own lanes is 0 in the others. At most `most` values.
  template <Index most, typename T, typename Body>
  void each(const Lanes<T>* values, Index size, const Body& body) const {
    if (count == 1) return body(first, values);
    Lanes<T> own[most];
    for (Index j = 0; j < count; ++j) {
      const auto lanes_of_head = mask<T>(j);
      for (Index i = 0; i < size; ++i) {
        own[i] = xsimd::select(lanes_of_head, values[i], Lanes<T>(T(0)));
      }
      body(first + j, static_cast<const Lanes<T>*>(own));
    }
  }

  /// y[m] += sum_e W[e][m] x[e], e in [0, size), m in [0, cols), with W = weights(head), plain numbers, of each lane's
  /// own head. `size` is at most `most`.
  template <Index most, typename T, typename Weights>
  void add_read(Index size, Index cols, const Lanes<T>* x, Lanes<T>* y,
                const Weights& weights) const {
    if (count > 1 && cols >= lane_count<T>) {
      return add_read_across<most, T>(size, cols, x, y, weights);
    }
    each<most, T>(x, size, [&](Index head, const Lanes<T>* own) {
      fast_matrix::add_read<T>(size, cols, weights(head), own, y);
    });
  }

 private:
  // Lanes hold columns of W in turns, for one sequence after the other: each reads its own head's weights alone.
  template <Index most, typename T, typename Weights>
  void add_read_across(Index size, Index cols, const Lanes<T>* x, Lanes<T>* y,
                       const Weights& weights) const {
    constexpr Index n = lane_count<T>;
    T own[n][most];
    scatter_lanes<T>(x, size, lanes(), [&](Index lane) { return own[lane]; });
    for (Index m = 0; m < cols; m += n) {
      // The last ones reach back to columns that are done, and leave these.
      const Index begin = std::min(m, cols - n);
      std::array<Lanes<T>, static_cast<std::size_t>(n)> sums;
      std::copy_n(y + begin, n, sums.begin());
      transpose_lanes<T>(sums);
      for (Index lane = 0; lane < lanes(); ++lane) {
        const T* const w = weights(first + lane / rows) + begin;
        Lanes<T> sum = sums[lane];
        for (Index e = 0; e < size; ++e) {
          sum = xsimd::fma(Lanes<T>::load_unaligned(w + e * cols), Lanes<T>(own[lane][e]), sum);
        }
        sums[lane] = sum;
      }
      transpose_lanes<T>(sums);
      std::copy(sums.begin() + (m - begin), sums.end(), y + m);
    }
  }
};

/// How the heads of a batch are dealt to groups of `lanes` lanes: a group holds up to `lanes` sequences of one head, or
/// all sequences of as many heads as fit.
class HeadLanes {
 public:
  HeadLanes(Index batch, Index heads, Index lanes)
      : batch_(batch),
        heads_(heads),
        lanes_(lanes),
        together_(std::clamp<Index>(lanes / batch, 1, heads)),
        parts_(divide_up(heads, together_)) {}

  /// Never fewer for a larger batch.
  Index groups() const { return divide_up(batch_, lanes_) * parts_; }
  Index first_row(Index group) const { return group / parts_ * lanes_; }
  LaneHeads at(Index group) const {
    const Index first = group % parts_ * together_;
    return {first, std::min(together_, heads_ - first),
            std::min(lanes_, batch_ - first_row(group))};
  }

  /// Where head `head` of sequence `row` lies.
  Index group(Index row, Index head) const { return row / lanes_ * parts_ + head / together_; }
  Index lane(Index row, Index head) const {
    return head % together_ * std::min(batch_, lanes_) + row % lanes_;
  }

 private:
  Index batch_, heads_, lanes_;
  Index together_;  // heads in a group
  Index parts_;     // groups that share their sequences
};

}  // namespace rlt
