// Which head of which sequence a lane holds. Cells whose heads run their own recurrence work on groups of lanes.
#pragma once

#include <algorithm>
#include <array>

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
