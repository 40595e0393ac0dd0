// The last inputs of a layer, in the state that a sequence carries, and what a cache holds of them:
//   [seen, rows (slots, D), K^T (H d, slots), V (slots, H d)]     K^T and V only with a cache
// A ring: step n lies in slot n mod slots, so that a step writes one slot and moves nothing. Keys lie in columns,
// as the product with a query reads them. No order is needed beyond the newest slot: attention has none but that
// of its positions.
#pragma once

#include <algorithm>

#include "mixing/state_layout.hpp"
#include "tensor/matrix.hpp"

namespace rlt {

template <typename T>
class StreamMemory {
 public:
  struct Sizes {
    Index slots;
    Index width;   // D
    Index cached;  // H d; 0: no cache

    StateLayout layout() const {
      StateLayout layout{.pieces = {{"seen", {}}, {"inputs", {slots, width}}}};
      if (cached > 0) {
        layout.pieces.push_back({"keys", {cached, slots}});
        layout.pieces.push_back({"values", {slots, cached}});
      }
      return layout;
    }
  };

  /// The memory in `state` (B, size of the layout); null data: it holds nothing and takes nothing.
  StreamMemory(const Sizes& sizes, Matrix<T> state) : sizes_(sizes), state_(state) {}

  explicit operator bool() const { return state_.data != nullptr; }
  bool caches() const { return *this && sizes_.cached > 0; }
  /// Slots in use: 0 .. count - 1.
  Index count(Index b) const { return *this ? std::min(seen(b), sizes_.slots) : 0; }
  /// The slot of the input `age` steps before the newest.
  Index slot(Index b, Index age) const { return (seen(b) + sizes_.slots - 1 - age) % sizes_.slots; }

  T* row(Index b, Index slot) const { return rows(b).row(slot); }
  Matrix<T> rows(Index b) const { return {state_.row(b) + 1, sizes_.slots, sizes_.width}; }
  Matrix<T> key_columns(Index b) const {
    return {rows(b).row(sizes_.slots), sizes_.cached, sizes_.slots};
  }
  Matrix<T> values(Index b) const {
    return {key_columns(b).row(sizes_.cached), sizes_.slots, sizes_.cached};
  }

  void clear(Index b) const { *state_.row(b) = T(0); }
  /// Takes an input over the oldest one, with its keys and values (2 H d) where they are cached.
  void append(Index b, const T* input, const T* keys_and_values) const {
    // The count stays below twice the slots: exact in every T.
    const Index next = seen(b) + 1;
    *state_.row(b) = static_cast<T>(next < 2 * sizes_.slots ? next : sizes_.slots);
    const Index slot = (next - 1) % sizes_.slots;
    std::copy_n(input, sizes_.width, row(b, slot));
    if (caches()) cache(b, slot, keys_and_values);
  }
  void cache(Index b, Index slot, const T* keys_and_values) const {
    const Matrix<T> columns = key_columns(b);
    for (Index c = 0; c < sizes_.cached; ++c) columns.row(c)[slot] = keys_and_values[c];
    std::copy_n(keys_and_values + sizes_.cached, sizes_.cached, values(b).row(slot));
  }

 private:
  Index seen(Index b) const { return static_cast<Index>(*state_.row(b)); }

  Sizes sizes_;
  Matrix<T> state_;
};

}  // namespace rlt
