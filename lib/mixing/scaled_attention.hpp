// The kernel of softmax attention with unit queries and keys and a learned scale a: one head, some queries.
//   z_ij = q_i . k_j + bias_{j - i}        s_ij = a z_ij
//   P_i  = softmax(s_i) beside one more score of -1000, whose value is 0
//   o_i  = sum_j P_ij v_j
// Backward, g = do:
//   dP_ij = g_i . v_j                      ds_ij = P_ij (dP_ij - sum_l P_il dP_il)
//   da = sum_ij ds_ij z_ij                 dbias_n = a sum_i ds_{i,i+n}
//   dq_i = a sum_j ds_ij k_j               dk_j = a sum_i ds_ij q_i      dv_j = sum_i P_ij g_i
// The scale multiplies the bias too. A query may see null keys, that stand where a sequence has no past yet: key and
// value 0, so that they weigh e^{a bias} and give nothing.
//
// Memory: dense products over blocks of queries; the scores of a block are all that lies in scratch, and backward
// computes them again.
#pragma once

#include <array>
#include <concepts>

#include "tensor/arena.hpp"
#include "tensor/matrix.hpp"

namespace rlt {

/// Queries and all keys that any of them sees, in the order of their steps.
template <std::floating_point T>
struct AttentionTile {
  Matrix<const T> q;  // (queries, d)
  Matrix<const T> k;  // (slide (queries - 1) + seen, d)
  Matrix<const T> v;
  Index seen;   // keys that a query sees
  Index slide;  // 1: each query sees one key further on than the one before; 0: all see the same
  T scale;
  const T* bias = nullptr;  // (seen), for the first to the last key that a query sees; null: 0
  /// Of the keys that a query sees the first so many are null, whatever lies there: of each query with slide 1, else
  /// one number for all. Null pointer: none.
  const Index* nulls = nullptr;
};

/// All are added to.
template <std::floating_point T>
struct TileGradients {
  Matrix<T> dq, dk, dv;  // rows as in the tile
  T* dscale;
  T* dbias = nullptr;  // (seen)
};

template <std::floating_point T>
class ScaledAttention {
 public:
  explicit ScaledAttention(Index head_size) : d_(head_size) {}

  /// For tiles of at most `keys` keys, of which a query sees at most `seen`. The scratch belongs to the caller's
  /// ScratchScope.
  void carve(Workspace& workspace, Index keys, Index seen);
  void forward(const AttentionTile<T>& tile, Matrix<T> o, int thread) const;
  void backward(const AttentionTile<T>& tile, Matrix<const T> g, const TileGradients<T>& gradients,
                int thread) const;

 private:
  struct Block;
  template <typename Number>
  struct Scratch;

  std::array<Index, 5> scratch_sizes() const;
  Scratch<T> scratch_at(int thread) const;
  Matrix<T> scores_in(T* scores, const Block& block) const;
  template <typename Body>
  static void for_each_block(const AttentionTile<T>& tile, const Body& body);
  void weigh(const AttentionTile<T>& tile, const Block& block, const Scratch<T>& scratch) const;

  Index d_;
  Index keys_ = 0;
  Index score_stride_ = 0;
  T* for_each_thread_ = nullptr;
};

}  // namespace rlt
