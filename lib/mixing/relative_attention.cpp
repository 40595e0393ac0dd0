#include "mixing/relative_attention.hpp"

#include <algorithm>
#include <cmath>

#include "base/parallel.hpp"
#include "mixing/cut.hpp"
#include "mixing/score_rows.hpp"
#include "nn/linear.hpp"
#include "tensor/gemm.hpp"
#include "tensor/transpose.hpp"

namespace rlt {

/// Some queries, one behind the other, and all keys that any of them sees.
template <std::floating_point T>
struct RelativeAttention<T>::Block {
  Index query, queries;
  Index key, keys;
  Index distances;  // of the query that sees furthest
};

template <std::floating_point T>
template <typename Number>
struct RelativeAttention<T>::Scratch {
  Number *k_columns, *v_columns;  // (d, keys)
  Number* p;                      // (queries, keys) scores, then weights
  Number* dp;
  Number* by_distance;  // (queries, distances) (q + v) . R, then its gradient
  Number *qu, *qv;      // (queries, d) q + u, q + v
  Number* dqv;
};

template <std::floating_point T>
RelativeAttention<T>::RelativeAttention(Index head_size)
    : d_(head_size), scale_(static_cast<T>(1 / std::sqrt(static_cast<double>(head_size)))) {}

template <std::floating_point T>
void RelativeAttention<T>::carve(Workspace& workspace, Index keys) {
  keys_ = keys;
  for_each_thread_ = workspace.scratch.take<T>(thread_count(), total(scratch_sizes()));
}

template <std::floating_point T>
std::array<Index, 8> RelativeAttention<T>::scratch_sizes() const {
  const Index columns = d_ * keys_;
  const Index scores = score_rows::block_queries * score_rows::whole_vectors<T>(keys_);
  const Index queries = score_rows::block_queries * d_;
  return {columns, columns, scores, scores, scores, queries, queries, queries};
}

template <std::floating_point T>
typename RelativeAttention<T>::template Scratch<T> RelativeAttention<T>::scratch_at(
    int thread) const {
  const std::array<Index, 8> sizes = scratch_sizes();
  return cut<Scratch>(for_each_thread_ + thread * total(sizes), sizes);
}

// Rows of a block's scores, each with room for whole vectors.
template <std::floating_point T>
Matrix<T> RelativeAttention<T>::scores_in(T* scores, Index queries, Index cols) const {
  return {scores, queries, cols, score_rows::whole_vectors<T>(keys_)};
}

// body(block) for all queries.
template <std::floating_point T>
template <typename Body>
void RelativeAttention<T>::for_each_block(const RelativeHead<T>& head, const Body& body) const {
  for (Index query = 0; query < head.q.rows; query += score_rows::block_queries) {
    const Index queries = std::min(score_rows::block_queries, head.q.rows - query);
    const Index key = head.first[query];
    Index distances = 0;
    for (Index i = 0; i < queries; ++i) distances = std::max(distances, head.seen(query + i));
    body(Block{query, queries, key, head.own(query + queries) - key, distances});
  }
}

// q + u and q + v
template <std::floating_point T>
void RelativeAttention<T>::add_biases(Matrix<const T> q, const HeadPositions<T>& positions,
                                      const Scratch<T>& scratch) const {
  for (Index i = 0; i < q.rows; ++i) {
    for (Index c = 0; c < d_; ++c) {
      scratch.qu[i * d_ + c] = q.row(i)[c] + positions.content_bias[c];
      scratch.qv[i * d_ + c] = q.row(i)[c] + positions.position_bias[c];
    }
  }
}

// P of a block, 0 where a query does not see a key. Leaves q + u and q + v in scratch.
template <std::floating_point T>
void RelativeAttention<T>::weigh(const RelativeHead<T>& head, const Block& block,
                                 const Scratch<T>& scratch) const {
  const Matrix<const T> qu(scratch.qu, block.queries, d_);
  const Matrix<const T> qv(scratch.qv, block.queries, d_);
  const Matrix<T> p = scores_in(scratch.p, block.queries, block.keys);
  const Matrix<T> by_distance = scores_in(scratch.by_distance, block.queries, block.distances);
  const Matrix<const T> k_columns(scratch.k_columns, d_, head.k.rows);
  add_biases(head.q.row_block(block.query, block.queries), head.positions, scratch);
  gemm<T>(qu, k_columns.col_block(block.key, block.keys), p, Write::overwrite);
  const Index further = head.positions.columns.cols - block.distances;
  gemm<T>(qv, head.positions.columns.col_block(further, block.distances), by_distance,
          Write::overwrite);
  for (Index i = 0; i < block.queries; ++i) {
    const Index seen = head.seen(block.query + i);
    T* const row = p.row(i);
    T* const first = row + head.first[block.query + i] - block.key;
    std::fill(row, first, score_rows::hidden<T>);
    score_rows::add_positions(first, by_distance.row(i) + block.distances - seen, seen, scale_);
    std::fill(first + seen, row + score_rows::whole_vectors<T>(block.keys), score_rows::hidden<T>);
    score_rows::softmax(row, block.keys);
  }
}

template <std::floating_point T>
void RelativeAttention<T>::forward(const RelativeHead<T>& head, Matrix<T> o, int thread) const {
  const Scratch<T> scratch = scratch_at(thread);
  transpose(head.k, Matrix<T>(scratch.k_columns, d_, head.k.rows));
  for_each_block(head, [&](const Block& block) {
    weigh(head, block, scratch);
    gemm<T>(scores_in(scratch.p, block.queries, block.keys),
            head.v.row_block(block.key, block.keys), o.row_block(block.query, block.queries),
            Write::overwrite);
  });
}

template <std::floating_point T>
void RelativeAttention<T>::backward(const RelativeHead<T>& head, Matrix<const T> g_of,
                                    const RelativeGradients<T>& gradients, int thread) const {
  const Scratch<T> scratch = scratch_at(thread);
  const Matrix<T> v_columns(scratch.v_columns, d_, head.v.rows);
  transpose(head.k, Matrix<T>(scratch.k_columns, d_, head.k.rows));
  transpose(head.v, v_columns);
  for (Index row = 0; row < head.k.rows; ++row) {
    std::fill_n(gradients.dk.row(row), d_, T(0));
    std::fill_n(gradients.dv.row(row), d_, T(0));
  }
  for_each_block(head, [&](const Block& block) {
    const Matrix<const T> qu(scratch.qu, block.queries, d_);
    const Matrix<const T> qv(scratch.qv, block.queries, d_);
    const Matrix<const T> g = g_of.row_block(block.query, block.queries);
    const Matrix<T> p = scores_in(scratch.p, block.queries, block.keys);
    const Matrix<T> ds = scores_in(scratch.dp, block.queries, block.keys);
    const Matrix<T> by_distance = scores_in(scratch.by_distance, block.queries, block.distances);
    const Index further = head.positions.rows.rows - block.distances;
    const Matrix<T> dq = gradients.dq.row_block(block.query, block.queries);
    weigh(head, block, scratch);
    // o_t = sum_j P_tj v_j
    gemm<T>(g, v_columns.col_block(block.key, block.keys), ds, Write::overwrite);
    gemm_at<T>(p, g, gradients.dv.row_block(block.key, block.keys), Write::add);
    // P_t = softmax(s_t), and 1 / sqrt(d)
    for (Index i = 0; i < block.queries; ++i) {
      T* const row = ds.row(i);
      std::fill(row + block.keys, row + score_rows::whole_vectors<T>(block.keys), T(0));
      score_rows::softmax_backward(p.row(i), block.keys, scale_, row);
      const Index seen = head.seen(block.query + i);
      T* const nearest = by_distance.row(i) + block.distances - seen;
      std::fill(by_distance.row(i), nearest, T(0));
      std::copy_n(row + head.first[block.query + i] - block.key, seen, nearest);
    }
    // (q_t + v) . R_{t-j}
    const Matrix<T> dqv(scratch.dqv, block.queries, d_);
    gemm<T>(by_distance, head.positions.rows.row_block(further, block.distances), dqv,
            Write::overwrite);
    gemm_at<T>(by_distance, qv, gradients.dr.row_block(further, block.distances), Write::add);
    add_column_sums<T>(dqv, gradients.dposition_bias);
    // (q_t + u) . k_j
    gemm<T>(ds, head.k.row_block(block.key, block.keys), dq, Write::overwrite);
    gemm_at<T>(ds, qu, gradients.dk.row_block(block.key, block.keys), Write::add);
    add_column_sums<T>(dq, gradients.dcontent_bias);
    for (Index i = 0; i < block.queries; ++i) {
      for (Index c = 0; c < d_; ++c) dq.row(i)[c] += dqv.row(i)[c];
    }
  });
}

template <std::floating_point T>
void RelativeAttention<T>::step(const T* q, Matrix<const T> key_columns, Matrix<const T> v,
                                Index newest, const HeadPositions<T>& positions, T* o,
                                int thread) const {
  const Scratch<T> scratch = scratch_at(thread);
  const Index count = key_columns.cols;
  T* const p = scratch.p;
  T* const by_distance = scratch.by_distance;
  add_biases({q, 1, d_}, positions, scratch);
  score_rows::row_product<T>(scratch.qu, key_columns, p);
  score_rows::row_product<T>(
      scratch.qv, positions.columns.col_block(positions.columns.cols - count, count), by_distance);
  // Distances fall from `newest` to 0 up to that slot, and then from count - 1 to `newest` + 1.
  const Index older = count - 1 - newest;
  score_rows::add_positions(p, by_distance + older, newest + 1, scale_);
  score_rows::add_positions(p + newest + 1, by_distance, older, scale_);
  std::fill(p + count, p + score_rows::whole_vectors<T>(count), score_rows::hidden<T>);
  score_rows::softmax(p, count);
  score_rows::row_product<T>(p, v, o);
}

template class RelativeAttention<float>;
template class RelativeAttention<double>;

}  // namespace rlt
