// Past keys and values of a batch of sequences, in the state that they carry:
//   [count, K (capacity, D), V (capacity, D)], the first `count` rows filled.
#pragma once

#include <algorithm>

#include "mixing/state_layout.hpp"
#include "tensor/matrix.hpp"

namespace rlt {

template <typename T>
class KeyValueCache {
 public:
  static StateLayout layout(Index capacity, Index width) {
    return {.pieces = {{"count", {}}, {"keys", {capacity, width}}, {"values", {capacity, width}}}};
  }

  KeyValueCache() = default;
  /// A cache in `state` (B, size of the layout); null data: it holds nothing and takes nothing.
  KeyValueCache(Matrix<T> state, Index width)
      : state_(state),
        width_(width),
        capacity_(state.data == nullptr ? 0 : (state.cols - 1) / (2 * width)) {}

  explicit operator bool() const { return state_.data != nullptr; }
  Index capacity() const { return capacity_; }
  Index count(Index b) const { return *this ? static_cast<Index>(*state_.row(b)) : 0; }
  void set_count(Index b, Index count) const { *state_.row(b) = static_cast<T>(count); }

  /// (capacity, D)
  Matrix<T> keys(Index b) const { return {state_.row(b) + 1, capacity_, width_}; }
  Matrix<T> values(Index b) const {
    return {state_.row(b) + 1 + capacity_ * width_, capacity_, width_};
  }

 private:
  Matrix<T> state_{nullptr, 0, 0};
  Index width_ = 0;
  Index capacity_ = 0;
};

}  // namespace rlt
