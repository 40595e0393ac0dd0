// The three products of attention. Lanes of x, w and y are queries; rows are keys or values. A tile of N sums
// runs side by side, to hide the latency of the additions. The order of a sum does not depend on its tile.
#pragma once

#include <array>

#include "tensor/lanes.hpp"

namespace rlt::attention_products {

// dots, N sums at once
template <Index N, typename T>
void dots_tile(const Lanes<T>* x, Index d, const T* rows, Index stride, Lanes<T>* s) {
  std::array<Lanes<T>, static_cast<std::size_t>(N)> sum;
#pragma GCC unroll 8
  for (Index j = 0; j < N; ++j) sum[j] = Lanes<T>(T(0));
  for (Index c = 0; c < d; ++c) {
#pragma GCC unroll 8
    for (Index j = 0; j < N; ++j) sum[j] += x[c] * rows[j * stride + c];
  }
#pragma GCC unroll 8
  for (Index j = 0; j < N; ++j) s[j] = sum[j];
}

/// s_j = sum_c x_c rows_j[c], j in [0, count), c in [0, d)
template <typename T>
void dots(const Lanes<T>* x, Index d, const T* rows, Index stride, Index count, Lanes<T>* s) {
  Index j = 0;
  for (; j + 8 <= count; j += 8) dots_tile<8>(x, d, rows + j * stride, stride, s + j);
  for (; j + 2 <= count; j += 2) dots_tile<2>(x, d, rows + j * stride, stride, s + j);
  for (; j < count; ++j) dots_tile<1>(x, d, rows + j * stride, stride, s + j);
}

// mix, N sums at once
template <Index N, typename T>
void mix_tile(const Lanes<T>* w, const T* rows, Index stride, Index count, Lanes<T>* y) {
  std::array<Lanes<T>, static_cast<std::size_t>(N)> sum;
#pragma GCC unroll 8
  for (Index c = 0; c < N; ++c) sum[c] = y[c];
  for (Index j = 0; j < count; ++j) {
#pragma GCC unroll 8
    for (Index c = 0; c < N; ++c) sum[c] += w[j] * rows[j * stride + c];
  }
#pragma GCC unroll 8
  for (Index c = 0; c < N; ++c) y[c] = sum[c];
}

/// y_c += sum_j w_j rows_j[c], j in [0, count), c in [0, d)
template <typename T>
void mix(const Lanes<T>* w, const T* rows, Index stride, Index count, Index d, Lanes<T>* y) {
  Index c = 0;
  for (; c + 8 <= d; c += 8) mix_tile<8>(w, rows + c, stride, count, y + c);
  for (; c + 2 <= d; c += 2) mix_tile<2>(w, rows + c, stride, count, y + c);
  for (; c < d; ++c) mix_tile<1>(w, rows + c, stride, count, y + c);
}

// spread, N sums at once
template <Index N, typename T>
void spread_tile(const Lanes<T>* w, const Lanes<T>* rows, Index lanes, Index vectors,
                 Lanes<T>* out) {
  const T* const weight = reinterpret_cast<const T*>(w);
  for (Index i = 0; i < vectors; ++i) {
    std::array<Lanes<T>, static_cast<std::size_t>(N)> sum;
#pragma GCC unroll 8
    for (Index j = 0; j < N; ++j) sum[j] = out[j * vectors + i];
    for (Index lane = 0; lane < lanes; ++lane) {
      const Lanes<T> row = rows[lane * vectors + i];
#pragma GCC unroll 8
      for (Index j = 0; j < N; ++j) sum[j] += weight[j * lane_count<T> + lane] * row;
    }
#pragma GCC unroll 8
    for (Index j = 0; j < N; ++j) out[j * vectors + i] = sum[j];
  }
}

/// out_j += sum over lanes of w_j[lane] rows_lane, j in [0, count); rows and out_j are `vectors` vectors long
template <typename T>
void spread(const Lanes<T>* w, const Lanes<T>* rows, Index lanes, Index vectors, Index count,
            Lanes<T>* out) {
  Index j = 0;
  for (; j + 8 <= count; j += 8) spread_tile<8, T>(w + j, rows, lanes, vectors, out + j * vectors);
  for (; j + 2 <= count; j += 2) spread_tile<2, T>(w + j, rows, lanes, vectors, out + j * vectors);
  for (; j < count; ++j) spread_tile<1, T>(w + j, rows, lanes, vectors, out + j * vectors);
}

}  // namespace rlt::attention_products
