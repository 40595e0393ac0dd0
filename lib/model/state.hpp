// What a batch of sequences carries from segment to segment, outside the model.
#pragma once

#include <concepts>
#include <vector>

#include "base/memory.hpp"
#include "base/size.hpp"
#include "mixing/state_layout.hpp"
#include "tensor/matrix.hpp"

namespace rlt {

template <std::floating_point T>
class State {
 public:
  /// Carries nothing: every sequence starts fresh.
  State() = default;
  /// `rows` sequences; `parts` as SequenceModel::state_layout gives them. Error(failed) where there is no room.
  State(Index rows, const std::vector<StateLayout>& parts) : rows_(rows) {
    for (const StateLayout& part : parts) {
      begins_.push_back(begins_.back() + part.size());
    }
    require_memory(bytes_of(sizeof(T), rows, begins_.back()), "the state of a batch",
                   "--batch, --lengths, --d-model or --layers");
    numbers_.resize(static_cast<std::size_t>(rows * begins_.back()));
  }

  explicit operator bool() const { return rows_ > 0; }
  /// (rows, all numbers of a sequence)
  Matrix<T> all() { return {rows_ > 0 ? numbers_.data() : nullptr, rows_, begins_.back()}; }
  /// (rows, numbers of one part)
  Matrix<T> part(Index index) {
    const Index begin = begins_[static_cast<std::size_t>(index)];
    return all().col_block(begin, begins_[static_cast<std::size_t>(index) + 1] - begin);
  }

 private:
  Index rows_ = 0;
  std::vector<Index> begins_ = {0};
  std::vector<T> numbers_;
};

}  // namespace rlt
