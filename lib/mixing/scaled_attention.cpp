#include "mixing/scaled_attention.hpp"

#include <algorithm>

#include "base/parallel.hpp"
#include "mixing/cut.hpp"
#include "mixing/score_rows.hpp"
#include "tensor/gemm.hpp"
#include "tensor/transpose.hpp"

namespace rlt {

/// Some queries, one behind the other, and all keys that any of them sees.
template <std::floating_point T>
struct ScaledAttention<T>::Block {
  Index query, queries;
  Index key, keys;

  /// Row i of `scores` from the first key that its query sees.
  T* seen_by(Index i, const AttentionTile<T>& tile, Matrix<T> scores) const {
    return scores.row(i) + tile.slide * i;
  }
  Index nulls(Index i, const AttentionTile<T>& tile) const {
    return tile.nulls == nullptr ? 0 : tile.nulls[tile.slide * (query + i)];
  }
  /// 0 for the keys that query i does not see.
  void hide(Index i, const AttentionTile<T>& tile, Matrix<T> scores) const {
    T* const first = seen_by(i, tile, scores);
    std::fill(scores.row(i), first, T(0));
    std::fill(first + tile.seen, scores.row(i) + keys, T(0));
  }
};

template <std::floating_point T>
template <typename Number>
struct ScaledAttention<T>::Scratch {
  Number *k_columns, *v_columns;  // (d, keys)
  Number* z;                      // (queries, keys)
  Number* p;
  Number* ds;
};

template <std::floating_point T>
void ScaledAttention<T>::carve(Workspace& workspace, Index keys, Index seen) {
  keys_ = keys;
  // softmax works on whole vectors from any column on
  score_stride_ = score_rows::whole_vectors<T>(score_rows::block_queries + seen) + lane_count<T>;
  for_each_thread_ = workspace.scratch.take<T>(thread_count(), total(scratch_sizes()));
}

template <std::floating_point T>
std::array<Index, 5> ScaledAttention<T>::scratch_sizes() const {
  const Index columns = d_ * keys_;
  const Index scores = score_rows::block_queries * score_stride_;
  return {columns, columns, scores, scores, scores};
}

template <std::floating_point T>
typename ScaledAttention<T>::template Scratch<T> ScaledAttention<T>::scratch_at(int thread) const {
  const std::array<Index, 5> sizes = scratch_sizes();
  return cut<Scratch>(for_each_thread_ + thread * total(sizes), sizes);
}

template <std::floating_point T>
Matrix<T> ScaledAttention<T>::scores_in(T* scores, const Block& block) const {
  return {scores, block.queries, block.keys, score_stride_};
}

// body(block) for all queries.
template <std::floating_point T>
template <typename Body>
void ScaledAttention<T>::for_each_block(const AttentionTile<T>& tile, const Body& body) {
  for (Index query = 0; query < tile.q.rows; query += score_rows::block_queries) {
    const Index queries = std::min(score_rows::block_queries, tile.q.rows - query);
    body(Block{query, queries, tile.slide * query, tile.slide * (queries - 1) + tile.seen});
  }
}

// z, and P with 0 where a query does not see a key.
template <std::floating_point T>
void ScaledAttention<T>::weigh(const AttentionTile<T>& tile, const Block& block,
                               const Scratch<T>& scratch) const {
  constexpr Index n = lane_count<T>;
  constexpr T other = -1000;
  const Matrix<T> z = scores_in(scratch.z, block);
  const Matrix<T> p = scores_in(scratch.p, block);
  const Matrix<const T> k_columns(scratch.k_columns, d_, tile.k.rows);
  gemm<T>(tile.q.row_block(block.query, block.queries), k_columns.col_block(block.key, block.keys),
          z, Write::overwrite);
  for (Index i = 0; i < block.queries; ++i) {
    T* const products = block.seen_by(i, tile, z);
    T* const scores = block.seen_by(i, tile, p);
    std::fill_n(products, block.nulls(i, tile), T(0));
    for (Index j = 0; j < tile.seen; j += n) {
      const Index left = tile.seen - j;
      Lanes<T> sum = load_lanes(products + j, left);
      if (tile.bias != nullptr) sum += load_lanes(tile.bias + j, left);
      store_lanes(products + j, sum, left);
      store_lanes(scores + j, sum * tile.scale, left);
    }
    std::fill(scores + tile.seen, scores + score_rows::whole_vectors<T>(tile.seen),
              score_rows::hidden<T>);
    score_rows::softmax(scores, tile.seen, other);
    block.hide(i, tile, p);
  }
}

template <std::floating_point T>
void ScaledAttention<T>::forward(const AttentionTile<T>& tile, Matrix<T> o, int thread) const {
  const Scratch<T> scratch = scratch_at(thread);
  transpose(tile.k, Matrix<T>(scratch.k_columns, d_, tile.k.rows));
  for_each_block(tile, [&](const Block& block) {
    const Matrix<T> p = scores_in(scratch.p, block);
    weigh(tile, block, scratch);
    for (Index i = 0; i < block.queries; ++i) {
      std::fill_n(block.seen_by(i, tile, p), block.nulls(i, tile), T(0));
    }
    gemm<T>(p, tile.v.row_block(block.key, block.keys), o.row_block(block.query, block.queries),
            Write::overwrite);
  });
}

template <std::floating_point T>
void ScaledAttention<T>::backward(const AttentionTile<T>& tile, Matrix<const T> g_of,
                                  const TileGradients<T>& gradients, int thread) const {
  constexpr Index n = lane_count<T>;
  const Scratch<T> scratch = scratch_at(thread);
  const Matrix<T> v_columns(scratch.v_columns, d_, tile.v.rows);
  transpose(tile.k, Matrix<T>(scratch.k_columns, d_, tile.k.rows));
  transpose(tile.v, v_columns);
  for_each_block(tile, [&](const Block& block) {
    const Matrix<const T> q = tile.q.row_block(block.query, block.queries);
    const Matrix<const T> g = g_of.row_block(block.query, block.queries);
    const Matrix<T> z = scores_in(scratch.z, block);
    const Matrix<T> p = scores_in(scratch.p, block);
    const Matrix<T> ds = scores_in(scratch.ds, block);
    weigh(tile, block, scratch);
    // o_i = sum_j P_ij v_j: the weights
    gemm<T>(g, v_columns.col_block(block.key, block.keys), ds, Write::overwrite);
    Lanes<T> dscale(T(0));
    for (Index i = 0; i < block.queries; ++i) {
      const Index nulls = block.nulls(i, tile);
      const T* const products = block.seen_by(i, tile, z);
      T* const slopes = block.seen_by(i, tile, ds);
      // P_i = softmax(s_i)
      std::fill_n(slopes, nulls, T(0));
      std::fill(slopes + tile.seen, slopes + score_rows::whole_vectors<T>(tile.seen), T(0));
      T* const weights = block.seen_by(i, tile, p);
      std::fill(weights + tile.seen, weights + score_rows::whole_vectors<T>(tile.seen), T(0));
      score_rows::softmax_backward(weights, tile.seen, T(1), slopes);
      // s_ij = a z_ij
      for (Index j = 0; j < tile.seen; j += n) {
        const Index left = tile.seen - j;
        const Lanes<T> slope = load_lanes(slopes + j, left);
        dscale = xsimd::fma(slope, load_lanes(products + j, left), dscale);
        const Lanes<T> scaled = slope * tile.scale;
        store_lanes(slopes + j, scaled, left);
        // z_ij = q_i . k_j + bias_{j - i}
        if (gradients.dbias == nullptr) continue;
        T* const dbias = gradients.dbias + j;
        store_lanes(dbias, load_lanes(dbias, left) + scaled, left);
      }
      std::fill_n(slopes, nulls, T(0));
      std::fill_n(weights, nulls, T(0));
      block.hide(i, tile, ds);
    }
    *gradients.dscale += score_rows::sum_of_lanes(dscale);
    // o_i = sum_j P_ij v_j: the values
    gemm_at<T>(p, g, gradients.dv.row_block(block.key, block.keys), Write::add);
    // q_i . k_j
    gemm<T>(ds, tile.k.row_block(block.key, block.keys),
            gradients.dq.row_block(block.query, block.queries), Write::add);
    gemm_at<T>(ds, q, gradients.dk.row_block(block.key, block.keys), Write::add);
  });
}

template class ScaledAttention<float>;
template class ScaledAttention<double>;

}  // namespace rlt
