// What a batch of sequences carries from segment to segment, outside the model.
#pragma once

#include <concepts>
#include <vector>

#include "mixing/head_lanes.hpp"
#include "mixing/state_layout.hpp"
#include "tensor/arena.hpp"
#include "tensor/lanes.hpp"
#include "tensor/matrix.hpp"

namespace rlt {

template <std::floating_point T>
class State {
 public:
  /// Carries nothing: every sequence starts fresh.
  State() = default;
  /// `rows` sequences; `parts` as SequenceModel::state_layout gives them. Error(failed) where there is no room.
  State(Index rows, const std::vector<StateLayout>& parts);

  explicit operator bool() const { return rows_ > 0; }

  /// Pass::state and Pass::lanes of one part; the one that does not fit its layout is null.
  Matrix<T> part(Index index);
  T* lanes(Index index);
  /// Gives every sequence the same numbers in one part.
  void fill(Index index, const T* numbers);
  /// Sequence `row` becomes sequence `other_row` of `other`, a state of the same parts.
  void copy(Index row, State& other, Index other_row);

  /// (rows, all numbers of a sequence, part after part) the form of checkpoints: it does not depend on the number of
  /// lanes. `to_rows` makes it, `from_rows` takes back what was read into it.
  Matrix<T> to_rows();
  void from_rows();

 private:
  struct Part {
    Index size;    // numbers of a sequence
    Index copies;  // of one layout, one for each head
    bool in_lanes;
    Index begin;  // in numbers_, of its first sequence
  };
  HeadLanes head_lanes(const Part& part) const { return {rows_, part.copies, lane_count<T>}; }
  T& number(const Part& part, Index row, Index i);
  template <typename Body>
  void for_each_part(Body body);

  Index rows_ = 0;
  Index size_ = 0;    // numbers of a sequence
  Index stride_ = 0;  // from row to row of the parts that lie in rows
  std::vector<Part> parts_;
  std::vector<T, xsimd::aligned_allocator<T, memory_alignment>> numbers_;
  std::vector<T> as_rows_;
};

}  // namespace rlt
