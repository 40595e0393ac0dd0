// The kernel of softmax attention: one head of one sequence.
//   s_tj = q_t . k_j / sqrt(d) + bias_tj        for the keys j that query t sees (visibility.hpp)
//   P_t  = softmax(s_t)                         o_t = sum_j f_tj P_tj v_j     f: dropout's factor, or 1
//   bias_tj = -slope (t - j)                    a query that sees nothing: o_t = 0
// Backward, g = do:
//   delta_t = g_t . o_t                         ds_tj = P_tj (f_tj g_t . v_j - delta_t) / sqrt(d)
//   dq_t = sum_j ds_tj k_j   dk_j = sum_t ds_tj q_t   dv_j = sum_t f_tj P_tj g_t
//
// Memory: lanes are queries, so nothing is summed across lanes; of a single query, as in streaming, they are keys. A vector of queries walks over its keys in
// chunks with a running maximum and sum (Milakov, Gimelshein 2018, arXiv 1805.02867); backward computes
// the weights again from the maximum and 1 / sum of each query (Dao et al. 2022, arXiv 2205.14135). Keys that
// are not seen weigh exactly 0.
#pragma once

#include <array>
#include <concepts>

#include "mixing/visibility.hpp"
#include "nn/dropout.hpp"
#include "tensor/lanes.hpp"
#include "tensor/matrix.hpp"

namespace rlt {

/// Rows of keys and values that lie in one place; `first` is the step of the first of them.
template <std::floating_point T>
struct KeyRows {
  const T* k = nullptr;
  const T* v = nullptr;
  Index stride = 0, first = 0, count = 0;

  KeyRows part(Index from, Index to) const {
    const Index skipped = (from - first) * stride;
    return {k + skipped, v + skipped, stride, from, to - from};
  }
};

/// Steps count from the first query; keys before it have negative steps.
template <std::floating_point T>
struct AttentionHead {
  Matrix<const T> q;               // (T, d)
  std::array<KeyRows<T>, 3> keys;  // in the order of their steps; the last are the queries' own
  const T* starts;                 // (T) the step of the last start
  Visibility sees;
  T slope = 0;
  Dropout dropout;
  Index mask_first = 0;   // dropout's index of (query 0, key 0)
  Index mask_stride = 0;  // from one query to the next
};

template <std::floating_point T>
class SoftmaxAttention {
 public:
  using V = Lanes<T>;

  explicit SoftmaxAttention(Index head_size);

  /// Vectors of scratch for at most `steps` queries.
  Index scratch_vectors(Index steps) const;
  /// o (T, d); largest and inverse (T): a query's largest score, and 1 / sum of e^(score - largest).
  void forward(const AttentionHead<T>& head, Matrix<T> o, T* largest, T* inverse, V* scratch) const;
  /// Overwrites dq, dk, dv (T, d): the gradients of the queries and of their own keys and values.
  void backward(const AttentionHead<T>& head, Matrix<const T> o, Matrix<const T> g,
                const T* largest, const T* inverse, Matrix<T> dq, Matrix<T> dk, Matrix<T> dv,
                V* scratch) const;

 private:
  struct Queries;
  struct Scratch;

  Index vectors_per_row() const { return divide_up(head_size_, lane_count<T>); }
  Scratch scratch_at(V* first, Index steps) const;
  Queries queries_at(const AttentionHead<T>& head, Index first) const;
  template <typename Body>
  void for_each_queries(const AttentionHead<T>& head, const Body& body) const;
  template <typename Body>
  void for_each_chunk(const AttentionHead<T>& head, const Queries& queries, const Body& body) const;
  void score(const AttentionHead<T>& head, const Queries& queries, const KeyRows<T>& keys,
             const V* q, V* s) const;
  void forward_one(const AttentionHead<T>& head, T* o, T* largest, T* inverse, V* scratch) const;
  V dropout_factors(const AttentionHead<T>& head, const Queries& queries, Index key) const;

  Index head_size_;
  T scale_;  // 1 / sqrt(d)
};

}  // namespace rlt
