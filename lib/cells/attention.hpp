// Causal softmax attention with several heads and a cache of past keys and values: what the cells built
// on it share. Vaswani et al. 2017 (arXiv 1706.03762).
//
// Per head of size d, with q, k, v cut out of the projection (q (D) | k (D) | v (D), heads contiguous):
//   s_tj = q_t . k_j / sqrt(d) + bias_tj        j from the last start (or the cache's first) up to t
//   P_t  = softmax(s_t)                         o_t = sum_j f_tj P_tj v_j     f: dropout's factor, or 1
//   alibi:  bias_tj = -slope_h (t - j)          rotary: q_t and k_j turned by their positions first
// Backward, g = do:
//   delta_t = g_t . o_t                         ds_tj = P_tj (f_tj g_t . v_j - delta_t) / sqrt(d)
//   dq_t = sum_j ds_tj k_j   dk_j = sum_t ds_tj q_t   dv_j = sum_t f_tj P_tj g_t
//
// Memory: lanes are queries, so nothing is summed across lanes. A vector of queries walks over its keys in
// chunks with a running maximum and sum (Milakov, Gimelshein 2018, arXiv 1805.02867); backward computes
// the weights again from the maximum and 1 / sum of each row (Dao et al. 2022, arXiv 2205.14135). The tape
// is O(T D) and the scratch does not depend on the cache. Later keys and keys before a start weigh
// exactly 0.
// State of a sequence: [count, K (capacity, D), V (capacity, D)], the first `count` rows filled, keys
// already turned. No gradient flows into it. A start empties it.
#pragma once

#include "cells/registry.hpp"
#include "nn/rotary.hpp"
#include "tensor/lanes.hpp"

namespace rlt {

/// Slope of head h = 1 .. H: 2^(-8 h / H) (Press et al. 2021, arXiv 2108.12409). Where H is no power of
/// two the paper takes every other slope of the next power; here the formula holds for every H.
double alibi_slope(Index h, Index heads);

template <std::floating_point T>
class Attention {
 public:
  explicit Attention(const CellConfig& config);

  void carve(Workspace& workspace, Extent largest);
  Index state_size(Index context) const { return 1 + product(2, width_, context); }
  void initial_state(Matrix<T> state) const;

  /// projected (B T, 3 D) -> mixed (B T, D). Turns q and k of `projected` in place (rotary), which must
  /// stay for backward, as must `mixed`. Error(failed) when the steps do not fit into the cache.
  void forward(Extent extent, const Carry<T>& carry, Matrix<T> projected, Matrix<T> mixed);
  /// Overwrites dprojected with the gradient of the projection as it was before turning.
  void backward(Extent extent, Matrix<const T> projected, Matrix<const T> mixed,
                Matrix<const T> dmixed, Matrix<T> dprojected);

 private:
  using V = Lanes<T>;

  struct Pair;
  struct Keys;
  struct Queries;
  struct Scratch;

  void place(Extent extent);
  Pair pair_at(Extent extent, Index index, Matrix<const T> projected) const;
  Queries queries_at(Extent extent, const Pair& pair, Index first) const;
  template <typename Body>
  void for_each_queries(Extent extent, const Pair& pair, const Body& body) const;
  template <typename Body>
  void for_each_chunk(const Pair& pair, const Queries& queries, const Body& body) const;
  void score(const Pair& pair, const Queries& queries, const Keys& keys, const V* q, V* s) const;
  V dropout_factors(Extent extent, const Pair& pair, const Queries& queries, Index key) const;

  void forward_pair(Extent extent, const Pair& pair, Matrix<const T> projected, Matrix<T> mixed,
                    const Scratch& scratch);
  void backward_pair(Extent extent, const Pair& pair, Matrix<const T> projected,
                     Matrix<const T> mixed, Matrix<const T> dmixed, Matrix<T> dprojected,
                     const Scratch& scratch) const;
  void append(Extent extent, const Pair& pair, Matrix<const T> projected);
  template <typename Turn>
  void for_each_position(Extent extent, Matrix<T> rows, const Turn& turn) const;

  Index saved_rows(Extent extent, Index b) const;
  T* cached_key(Index b, Index row) const;
  Index vectors_per_row() const { return divide_up(head_, lane_count<T>); }
  Index thread_vectors(Index steps) const;
  Scratch scratch_of(int thread) const;

  Index width_;
  Index heads_;
  Index head_;
  Positions positions_;
  T scale_;  // 1 / sqrt(d)
  Rotary rotary_;
  Carry<T> carry_;
  Index largest_steps_ = 0;
  Index capacity_ = 0;  // rows that the carried cache can hold
  // tape
  T* begins_ =
      nullptr;  // (B, T) first key that a query sees, counted from the segment; < 0: cached
  T* cached_ = nullptr;   // (B) rows in the cache before the segment
  T* largest_ = nullptr;  // (B, H, T) largest score of a row
  T* inverse_ = nullptr;  // (B, H, T) 1 / sum of e^(score - largest)
  T* saved_ = nullptr;    // (B, T, 2 D) cached keys | values that rows after a start have replaced
  // scratch
  V* for_each_thread_ = nullptr;
};

}  // namespace rlt
