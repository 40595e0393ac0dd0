// Causal softmax attention with several heads and a cache of past keys and values: what the cells built
// on it share. Vaswani et al. 2017 (arXiv 1706.03762). The equations of one head: softmax_attention.hpp.
//
// The projection has columns q (D) | k (D) | v (D), each head by head. Options: a bias by distance on the
// scores (alibi), or queries and keys turned by their positions (rotary).
// State of a sequence: key_value_cache.hpp, keys already turned. No gradient flows into it. A start empties it.
// Memory: the tape is O(T D) and the scratch does not depend on the cache.
#pragma once

#include "mixing/cell.hpp"
#include "mixing/cell_config.hpp"
#include "mixing/key_value_cache.hpp"
#include "mixing/softmax_attention.hpp"
#include "nn/rotary.hpp"

namespace rlt {

/// Slope of head h = 1 .. H: 2^(-8 h / H) (Press et al. 2021, arXiv 2108.12409). Where H is no power of
/// two the paper takes every other slope of the next power; here the formula holds for every H.
double alibi_slope(Index h, Index heads);

template <std::floating_point T>
class Attention {
 public:
  explicit Attention(const CellConfig& config);

  void carve(Workspace& workspace, Extent largest);
  StateLayout state_layout(Index context) const {
    return KeyValueCache<T>::layout(context, width_);
  }
  void initial_state(Matrix<T> state) const;

  /// projected (B T, 3 D) -> mixed (B T, D). Turns q and k of `projected` in place (rotary); backward needs
  /// both as forward left them. Error(failed) when the steps do not fit into the cache.
  void forward(Extent extent, const Pass<T>& pass, Matrix<T> projected, Matrix<T> mixed);
  /// Overwrites dprojected with the gradient of the projection as it was before turning.
  void backward(Extent extent, Matrix<const T> projected, Matrix<const T> mixed,
                Matrix<const T> dmixed, Matrix<T> dprojected);

 private:
  using V = Lanes<T>;

  void place(Extent extent);
  AttentionHead<T> head_at(Extent extent, Index b, Index head, Matrix<const T> projected) const;
  void append(Extent extent, Index b, Index head, Matrix<const T> projected);
  template <typename Turn>
  void for_each_position(Extent extent, Matrix<T> rows, const Turn& turn) const;
  /// The rows of one sequence and columns of one head, from `col`, of a matrix (B T, ..).
  template <typename Number>
  Matrix<Number> part(Matrix<Number> rows, Extent extent, Index b, Index col) const {
    return rows.row_block(b * extent.steps, extent.steps).col_block(col, head_size_);
  }

  const T* starts(Extent extent, Index b) const { return starts_ + b * extent.steps; }
  Index last_start(Extent extent, Index b) const {
    return static_cast<Index>(starts(extent, b)[extent.steps - 1]);
  }
  Index saved_rows(Extent extent, Index b) const;
  Matrix<T> saved(Extent extent, Index b, Index head) const;

  Index width_;
  Index heads_;
  Index head_size_;
  Positions positions_;
  Visibility sees_;
  SoftmaxAttention<T> kernel_;
  Rotary rotary_;
  Pass<T> pass_;
  KeyValueCache<T> cache_;
  Index thread_vectors_ = 0;
  // tape
  T* starts_ = nullptr;   // (B, T) step of the last start; < 0: cached rows before the segment
  T* cached_ = nullptr;   // (B) rows in the cache before the segment
  T* largest_ = nullptr;  // (B, H, T) largest score of a query
  T* inverse_ = nullptr;  // (B, H, T) 1 / sum of e^(score - largest)
  T* saved_ = nullptr;    // (B, T, 2 D) cached keys | values that rows after a start have replaced
  // scratch
  V* for_each_thread_ = nullptr;
};

}  // namespace rlt
