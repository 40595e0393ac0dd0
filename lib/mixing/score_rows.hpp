// Scores of one query and many keys, as a row of numbers: lanes are keys. What products of rows, positions and
// softmax make of them. Rows have room for whole vectors; the numbers behind the last key are `hidden`.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "tensor/lanes.hpp"
#include "tensor/matrix.hpp"

namespace rlt::score_rows {

/// So many queries at a time: what they score, and the tile of keys, stay in cache.
inline constexpr Index block_queries = 32;

/// The score of a key that a query does not see: e^(hidden - largest) is exactly 0.
template <typename T>
inline constexpr T hidden = -std::numeric_limits<T>::max() / 4;

/// s_i <- (s_i + p_i) scale
template <typename T>
void add_positions(T* s, const T* p, Index count, T scale) {
  for (Index i = 0; i < count; i += lane_count<T>) {
    const Index left = count - i;
    store_lanes(s + i, (load_lanes(s + i, left) + load_lanes(p + i, left)) * scale, left);
  }
}

// The numbers of a vector, to be reduced in their order.
template <typename T>
std::array<T, static_cast<std::size_t>(lane_count<T>)> numbers_of(const Lanes<T>& lanes) {
  std::array<T, static_cast<std::size_t>(lane_count<T>)> numbers;
  lanes.store_unaligned(numbers.data());
  return numbers;
}

template <typename T>
T sum_of_lanes(const Lanes<T>& lanes) {
  const auto numbers = numbers_of(lanes);
  return std::accumulate(numbers.begin(), numbers.end(), T(0));
}

/// row <- softmax(row), whole vectors, beside one more score that is not in the row.
template <typename T>
void softmax(T* row, Index count, T other = hidden<T>) {
  constexpr Index n = lane_count<T>;
  Lanes<T> largest(other);
  for (Index i = 0; i < count; i += n) largest = xsimd::max(largest, load_lanes(row + i));
  largest = Lanes<T>(std::ranges::max(numbers_of(largest)));
  Lanes<T> sum(T(0));
  for (Index i = 0; i < count; i += n) {
    const Lanes<T> power = xsimd::exp(load_lanes(row + i) - largest);
    sum += power;
    store_lanes(row + i, power);
  }
  const T scale = 1 / (sum_of_lanes(sum) + std::exp(other - largest.get(0)));
  for (Index i = 0; i < count; i += n) store_lanes(row + i, load_lanes(row + i) * scale);
}

/// dp <- p (dp - sum_i p_i dp_i) scale, whole vectors.
template <typename T>
void softmax_backward(const T* p, Index count, T scale, T* dp) {
  constexpr Index n = lane_count<T>;
  Lanes<T> sum(T(0));
  for (Index i = 0; i < count; i += n) sum += load_lanes(p + i) * load_lanes(dp + i);
  const T mean = sum_of_lanes(sum);
  for (Index i = 0; i < count; i += n) {
    store_lanes(dp + i, load_lanes(p + i) * (load_lanes(dp + i) - mean) * scale);
  }
}

// row_product in N vectors of columns at once, so that as many sums run side by side.
template <Index N, typename T>
void row_product_tile(const T* x, Matrix<const T> a, T* y) {
  constexpr Index n = lane_count<T>;
  std::array<Lanes<T>, static_cast<std::size_t>(N)> sum;
#pragma GCC unroll 8
  for (Index i = 0; i < N; ++i) sum[i] = Lanes<T>(T(0));
  for (Index r = 0; r < a.rows; ++r) {
    const T* const row = a.row(r);
#pragma GCC unroll 8
    for (Index i = 0; i < N; ++i) sum[i] += x[r] * load_lanes(row + i * n, a.cols - i * n);
  }
#pragma GCC unroll 8
  for (Index i = 0; i < N; ++i) store_lanes(y + i * n, sum[i], a.cols - i * n);
}

/// y = x A for one row x, without the copy of A that OpenBLAS may make first.
template <typename T>
void row_product(const T* x, Matrix<const T> a, T* y) {
  constexpr Index n = lane_count<T>;
  Index col = 0;
  for (; col + 4 * n <= a.cols; col += 4 * n) {
    row_product_tile<4>(x, a.col_block(col, 4 * n), y + col);
  }
  for (; col < a.cols; col += n) {
    // The last whole vector overlaps the one before: the same sums once more.
    const Index first = std::max<Index>(0, std::min(col, a.cols - n));
    row_product_tile<1>(x, a.col_block(first, std::min(n, a.cols)), y + first);
  }
}

template <typename T>
Index whole_vectors(Index count) {
  return round_up(count, lane_count<T>);
}

}  // namespace rlt::score_rows
