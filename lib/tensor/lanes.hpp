// SIMD lanes. Recurrent kernels are written for Lanes<T> as if for one number: each lane is another
// sequence of the batch, so that nothing is summed across lanes and all lanes are used whatever the head size.
#pragma once

#include <algorithm>
#include <array>
#include <utility>
#include <xsimd/xsimd.hpp>

#include "base/index.hpp"

namespace rlt {

template <typename T>
using Lanes = xsimd::batch<T>;
template <typename T>
inline constexpr Index lane_count = static_cast<Index>(Lanes<T>::size);

namespace detail {

#if defined(__AVX2__)
// Masks of the first `count` lanes: a part of a vector takes one instruction and touches no memory behind it.
// (Numbers put together in memory would be loaded again before they are stored, which stalls.)
#if defined(__AVX512F__)
inline __mmask16 first_lanes(Index count) { return static_cast<__mmask16>((1U << count) - 1); }
inline Lanes<float> load_part(const float* from, Index count) {
  return _mm512_maskz_loadu_ps(first_lanes(count), from);
}
inline Lanes<double> load_part(const double* from, Index count) {
  return _mm512_maskz_loadu_pd(static_cast<__mmask8>(first_lanes(count)), from);
}
inline void store_part(float* to, const Lanes<float>& value, Index count) {
  _mm512_mask_storeu_ps(to, first_lanes(count), value);
}
inline void store_part(double* to, const Lanes<double>& value, Index count) {
  _mm512_mask_storeu_pd(to, static_cast<__mmask8>(first_lanes(count)), value);
}
#else
inline __m256i first_lanes(Index count, float) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)),
                            _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
inline __m256i first_lanes(Index count, double) {
  return _mm256_cmpgt_epi64(_mm256_set1_epi64x(count), _mm256_setr_epi64x(0, 1, 2, 3));
}
inline Lanes<float> load_part(const float* from, Index count) {
  return _mm256_maskload_ps(from, first_lanes(count, 0.0F));
}
inline Lanes<double> load_part(const double* from, Index count) {
  return _mm256_maskload_pd(from, first_lanes(count, 0.0));
}
inline void store_part(float* to, const Lanes<float>& value, Index count) {
  _mm256_maskstore_ps(to, first_lanes(count, 0.0F), value);
}
inline void store_part(double* to, const Lanes<double>& value, Index count) {
  _mm256_maskstore_pd(to, first_lanes(count, 0.0), value);
}
#endif
#else
template <typename T>
Lanes<T> load_part(const T* from, Index count) {
  std::array<T, static_cast<std::size_t>(lane_count<T>)> padded{};
  for (Index i = 0; i < count; ++i) padded[i] = from[i];
  return Lanes<T>::load_unaligned(padded.data());
}
template <typename T>
void store_part(T* to, const Lanes<T>& value, Index count) {
  std::array<T, static_cast<std::size_t>(lane_count<T>)> padded;
  value.store_unaligned(padded.data());
  for (Index i = 0; i < count; ++i) to[i] = padded[i];
}
#endif

}  // namespace detail

/// The first min(count, lane_count) numbers at `from`, count >= 0; the other lanes are 0.
template <typename T>
Lanes<T> load_lanes(const T* from, Index count = lane_count<T>) {
  return count >= lane_count<T> ? Lanes<T>::load_unaligned(from) : detail::load_part(from, count);
}

/// Writes the first min(count, lane_count) lanes, count >= 0.
template <typename T>
void store_lanes(T* to, const Lanes<T>& value, Index count = lane_count<T>) {
  if (count >= lane_count<T>) {
    value.store_unaligned(to);
  } else {
    detail::store_part(to, value, count);
  }
}

namespace detail {

// Interleaves the low (or high) halves of a and b: a0 b0 a1 b1 ...
template <bool High, typename T, std::size_t... I>
Lanes<T> interleave(const Lanes<T>& a, const Lanes<T>& b, std::index_sequence<I...>) {
  using Register = typename Lanes<T>::register_type;
  constexpr int size = static_cast<int>(sizeof...(I));
  const Register ra = a;
  const Register rb = b;
  return Lanes<T>(Register(__builtin_shufflevector(
      ra, rb,
      (static_cast<int>(I) % 2 * size + static_cast<int>(I) / 2 + (High ? size / 2 : 0))...)));
}

}  // namespace detail

/// Transposes a square of lane_count x lane_count numbers in place. One round takes rows i and i + n/2 to
/// rows 2i and 2i + 1 interleaved, which rotates the bits of (row, column) by one; log2(n) rounds swap them.
template <typename T>
void transpose_lanes(std::array<Lanes<T>, static_cast<std::size_t>(lane_count<T>)>& square) {
  constexpr Index n = lane_count<T>;
  constexpr auto all = std::make_index_sequence<static_cast<std::size_t>(n)>();
  for (Index round = 1; round < n; round *= 2) {
    std::array<Lanes<T>, static_cast<std::size_t>(n)> next;
    for (Index i = 0; i < n / 2; ++i) {
      next[2 * i] = detail::interleave<false, T>(square[i], square[i + n / 2], all);
      next[2 * i + 1] = detail::interleave<true, T>(square[i], square[i + n / 2], all);
    }
    square = next;
  }
}

/// Lane r of the result is the sum over the lanes of rows[r]; `rows` is overwritten.
template <typename T>
Lanes<T> sum_each(std::array<Lanes<T>, static_cast<std::size_t>(lane_count<T>)>& rows) {
  transpose_lanes<T>(rows);
  Lanes<T> sum = rows[0];
  for (Index i = 1; i < lane_count<T>; ++i) sum += rows[i];
  return sum;
}

/// Fewer channels than this go through memory number by number; a square pays from here on.
inline constexpr Index few_channels = 4;

/// out[c], lane r = row(r)[c] for r < count, 0 in the other lanes; c in [0, channels). `row(r)` points to numbers of T.
template <typename T, typename Row>
void gather_lanes(const Row& row, Index count, Index channels, Lanes<T>* out) {
  constexpr Index n = lane_count<T>;
  Index c = 0;
  for (; c + n <= channels; c += n) {
    std::array<Lanes<T>, static_cast<std::size_t>(n)> square;
    for (Index r = 0; r < n; ++r) {
      square[r] = r < count ? Lanes<T>::load_unaligned(row(r) + c) : Lanes<T>(T(0));
    }
    transpose_lanes<T>(square);
    for (Index r = 0; r < n; ++r) out[c + r] = square[r];
  }
  if constexpr (n > few_channels) {
    if (const Index left = channels - c; left >= few_channels) {
      std::array<Lanes<T>, static_cast<std::size_t>(n)> square;
      for (Index r = 0; r < n; ++r) {
        square[r] = r < count ? load_lanes<T>(row(r) + c, left) : Lanes<T>(T(0));
      }
      transpose_lanes<T>(square);
      std::copy_n(square.begin(), left, out + c);
      return;
    }
  }
  for (; c < channels; ++c) {
    std::array<T, static_cast<std::size_t>(n)> column{};
    for (Index r = 0; r < count; ++r) column[r] = row(r)[c];
    out[c] = Lanes<T>::load_unaligned(column.data());
  }
}

/// The inverse of gather_lanes: row(r)[c] = in[c], lane r, for r < count.
template <typename T, typename Row>
void scatter_lanes(const Lanes<T>* in, Index channels, Index count, const Row& row) {
  constexpr Index n = lane_count<T>;
  Index c = 0;
  for (; c + n <= channels; c += n) {
    std::array<Lanes<T>, static_cast<std::size_t>(n)> square;
    for (Index r = 0; r < n; ++r) square[r] = in[c + r];
    transpose_lanes<T>(square);
    for (Index r = 0; r < count; ++r) square[r].store_unaligned(row(r) + c);
  }
  if constexpr (n > few_channels) {
    if (const Index left = channels - c; left >= few_channels) {
      std::array<Lanes<T>, static_cast<std::size_t>(n)> square;
      square.fill(Lanes<T>(T(0)));
      std::copy_n(in + c, left, square.begin());
      transpose_lanes<T>(square);
      for (Index r = 0; r < count; ++r) store_lanes<T>(row(r) + c, square[r], left);
      return;
    }
  }
  for (; c < channels; ++c) {
    std::array<T, static_cast<std::size_t>(n)> column;
    in[c].store_unaligned(column.data());
    for (Index r = 0; r < count; ++r) row(r)[c] = column[r];
  }
}

/// The same for rows that lie `stride` numbers apart.
template <typename T>
void gather_lanes(const T* rows, Index stride, Index count, Index channels, Lanes<T>* out) {
  gather_lanes<T>([=](Index r) { return rows + r * stride; }, count, channels, out);
}
template <typename T>
void scatter_lanes(const Lanes<T>* in, Index channels, Index count, T* rows, Index stride) {
  scatter_lanes<T>(in, channels, count, [=](Index r) { return rows + r * stride; });
}

/// gather_lanes of a single row, without transposing: every lane of out[c] = row[c], c in [0, channels).
template <typename T>
void broadcast_lanes(const T* row, Index channels, Lanes<T>* out) {
  for (Index c = 0; c < channels; ++c) out[c] = Lanes<T>(row[c]);
}

/// Its inverse: row[c] = in[c], lane 0, c in [0, channels).
template <typename T>
void first_lane(const Lanes<T>* in, Index channels, T* row) {
  const T* const numbers = reinterpret_cast<const T*>(in);
  for (Index c = 0; c < channels; ++c) row[c] = numbers[c * lane_count<T>];
}

}  // namespace rlt
