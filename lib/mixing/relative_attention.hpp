// The kernel of softmax attention with relative positions (Dai et al. 2019, arXiv 1901.02860): one head of one
// sequence. R_i is the position of a key i steps before the query; the biases u and v are learned.
//   s_tj = ((q_t + u) . k_j + (q_t + v) . R_{t-j}) / sqrt(d)      first_t <= j <= t
//   P_t  = softmax(s_t)                                            o_t = sum_j P_tj v_j
// Backward, g = do:
//   dP_tj = g_t . v_j                    ds_tj = P_tj (dP_tj - sum_i P_ti dP_ti) / sqrt(d)
//   dq_t = sum_j ds_tj (k_j + R_{t-j})   dk_j = sum_t ds_tj (q_t + u)   dv_j = sum_t P_tj g_t
//   dR_i = sum_t ds_{t,t-i} (q_t + v)    du = sum_tj ds_tj k_j          dv = sum_tj ds_tj R_{t-j}
//
// Memory: dense products over blocks of queries; the scores of a block are all that lies in scratch, and backward
// computes them again. With R from the largest distance down, the row of (q_t + v) . R_i is a stretch of numbers
// in the order of the keys: it only has to be shifted by t.
#pragma once

#include <array>
#include <concepts>

#include "tensor/arena.hpp"
#include "tensor/matrix.hpp"

namespace rlt {

/// Positions and biases of one head.
template <std::floating_point T>
struct HeadPositions {
  Matrix<const T> rows;     // (distances, d) R, from the largest distance down to 0
  Matrix<const T> columns;  // (d, distances) its transpose
  const T* content_bias;    // (d) u
  const T* position_bias;   // (d) v
};

template <std::floating_point T>
struct RelativeHead {
  Matrix<const T> q;     // (T, d)
  Matrix<const T> k, v;  // (past + T, d) in the order of their steps
  const Index* first;    // (T) the first row of k that a query sees, never falling
  HeadPositions<T> positions;

  Index past() const { return k.rows - q.rows; }
  /// Row of k that is the query's own step.
  Index own(Index query) const { return past() + query; }
  Index seen(Index query) const { return own(query) - first[query] + 1; }
};

template <std::floating_point T>
struct RelativeGradients {
  Matrix<T> dq, dk, dv;  // overwritten
  Matrix<T> dr;          // (distances, d); this and the others are added to
  T* dcontent_bias;
  T* dposition_bias;
};

template <std::floating_point T>
class RelativeAttention {
 public:
  explicit RelativeAttention(Index head_size);

  /// For at most `keys` keys. The scratch belongs to the caller's ScratchScope.
  void carve(Workspace& workspace, Index keys);
  void forward(const RelativeHead<T>& head, Matrix<T> o, int thread) const;
  void backward(const RelativeHead<T>& head, Matrix<const T> g,
                const RelativeGradients<T>& gradients, int thread) const;
  /// One query and the keys of a ring (d, n), which are as many steps apart from the slot `newest` as they lie
  /// before it: o (d) from v (n, d).
  void step(const T* q, Matrix<const T> key_columns, Matrix<const T> v, Index newest,
            const HeadPositions<T>& positions, T* o, int thread) const;

 private:
  struct Block;
  template <typename Number>
  struct Scratch;

  std::array<Index, 8> scratch_sizes() const;
  Scratch<T> scratch_at(int thread) const;
  Matrix<T> scores_in(T* scores, Index queries, Index cols) const;
  template <typename Body>
  void for_each_block(const RelativeHead<T>& head, const Body& body) const;
  void add_biases(Matrix<const T> q, const HeadPositions<T>& positions,
                  const Scratch<T>& scratch) const;
  void weigh(const RelativeHead<T>& head, const Block& block, const Scratch<T>& scratch) const;

  Index d_;
  T scale_;  // 1 / sqrt(d)
  Index keys_ = 0;
  T* for_each_thread_ = nullptr;
};

}  // namespace rlt
