#include "mixing/softmax_attention.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "mixing/attention_products.hpp"

namespace rlt {
namespace {

constexpr Index chunk = 64;  // keys whose weights are held at a time: 64 vectors, 4 KiB

/// The score of a key that a query does not see: e^(hidden - largest) is exactly 0.
template <typename T>
constexpr T hidden = -std::numeric_limits<T>::max() / 4;

/// 0, 1, 2, ...
template <typename T>
Lanes<T> lane_numbers() {
  std::array<T, static_cast<std::size_t>(lane_count<T>)> numbers;
  for (Index lane = 0; lane < lane_count<T>; ++lane) numbers[lane] = static_cast<T>(lane);
  return Lanes<T>::load_unaligned(numbers.data());
}

template <typename T>
T largest_lane(const Lanes<T>& values) {
  std::array<T, static_cast<std::size_t>(lane_count<T>)> numbers;
  values.store_unaligned(numbers.data());
  return *std::ranges::max_element(numbers);
}

/// to[row] = the first d numbers of each row, filled up with zeros to whole vectors.
template <typename T>
void copy_rows(Matrix<const T> from, Lanes<T>* to) {
  for (Index row = 0; row < from.rows; ++row) {
    for (Index c = 0; c < from.cols; c += lane_count<T>) {
      *to++ = load_lanes(from.row(row) + c, from.cols - c);
    }
  }
}

}  // namespace

/// The queries of steps first .. first + count - 1, one per lane.
template <std::floating_point T>
struct SoftmaxAttention<T>::Queries {
  Index first, count;
  Index seen_by_any, seen_by_all;  // of the first keys that they see, the earliest and the latest
  Index last_by_all, last_by_any;  // of the last keys that they see, the earliest and the latest
  V step, begins, ends;            // of each query: its step, the first and last key that it sees
};

template <std::floating_point T>
struct SoftmaxAttention<T>::Scratch {
  V* q;  // (d) the queries, then the same for output and gradients
  V* o;
  V* g;
  V* dq;
  V* w;  // (chunk) weights, and their gradients
  V* dw;
  V* q_rows;  // (lanes, whole vectors)
  V* g_rows;
  V* dk;  // (T, whole vectors)
  V* dv;
};

template <std::floating_point T>
SoftmaxAttention<T>::SoftmaxAttention(Index head_size)
    : head_size_(head_size),
      scale_(static_cast<T>(1 / std::sqrt(static_cast<double>(head_size)))) {}

template <std::floating_point T>
Index SoftmaxAttention<T>::scratch_vectors(Index steps) const {
  return 4 * head_size_ + 2 * chunk + 2 * (lane_count<T> + steps) * vectors_per_row();
}

template <std::floating_point T>
typename SoftmaxAttention<T>::Scratch SoftmaxAttention<T>::scratch_at(V* first, Index steps) const {
  Scratch scratch;
  const auto take = [&](V*& piece, Index count) {
    piece = first;
    first += count;
  };
  for (V** const piece : {&scratch.q, &scratch.o, &scratch.g, &scratch.dq})
    take(*piece, head_size_);
  for (V** const piece : {&scratch.w, &scratch.dw}) take(*piece, chunk);
  for (V** const piece : {&scratch.q_rows, &scratch.g_rows}) {
    take(*piece, lane_count<T> * vectors_per_row());
  }
  for (V** const piece : {&scratch.dk, &scratch.dv}) take(*piece, steps * vectors_per_row());
  return scratch;
}

template <std::floating_point T>
typename SoftmaxAttention<T>::Queries SoftmaxAttention<T>::queries_at(const AttentionHead<T>& head,
                                                                      Index first) const {
  const Index partial = head.q.rows % lane_count<T>;
  const Index count = first == 0 && partial > 0 ? partial : lane_count<T>;
  const auto start = [&](Index step) { return static_cast<Index>(head.starts[step]); };
  const V steps = lane_numbers<T>() + static_cast<T>(first);
  const Index last = first + count - 1;
  return {first,
          count,
          head.sees.first(start(first), first),
          head.sees.first(start(last), last),
          head.sees.last(first),
          head.sees.last(last),
          steps,
          head.sees.first(load_lanes(head.starts + first, count), steps),
          head.sees.last(steps)};
}

// body(queries) for all steps. The vector that is not full comes first: it has the fewest keys to see.
template <std::floating_point T>
template <typename Body>
void SoftmaxAttention<T>::for_each_queries(const AttentionHead<T>& head, const Body& body) const {
  for (Index first = 0; first < head.q.rows;) {
    const Queries queries = queries_at(head, first);
    body(queries);
    first += queries.count;
  }
}

// body(keys) for all keys that some query sees, in order, at most `chunk` at a time.
template <std::floating_point T>
template <typename Body>
void SoftmaxAttention<T>::for_each_chunk(const AttentionHead<T>& head, const Queries& queries,
                                         const Body& body) const {
  for (const KeyRows<T>& keys : head.keys) {
    const Index to = std::min(keys.first + keys.count, queries.last_by_any + 1);
    for (Index from = std::max(keys.first, queries.seen_by_any); from < to; from += chunk) {
      body(keys.part(from, std::min(to, from + chunk)));
    }
  }
}

// s_j = q . k_j / sqrt(d) + bias, `hidden` in the lanes that do not see key j
template <std::floating_point T>
void SoftmaxAttention<T>::score(const AttentionHead<T>& head, const Queries& queries,
                                const KeyRows<T>& keys, const V* q, V* s) const {
  attention_products::dots(q, head_size_, keys.k, keys.stride, keys.count, s);
  for (Index j = 0; j < keys.count; ++j) {
    const Index step = keys.first + j;
    const V key(static_cast<T>(step));
    s[j] *= scale_;
    if (head.slope > 0) s[j] += head.slope * (key - queries.step);
    if (step > queries.last_by_all || step < queries.seen_by_all) {
      s[j] = xsimd::select(key <= queries.ends && key >= queries.begins, s[j], V(hidden<T>));
    }
  }
}

template <std::floating_point T>
typename SoftmaxAttention<T>::V SoftmaxAttention<T>::dropout_factors(const AttentionHead<T>& head,
                                                                     const Queries& queries,
                                                                     Index key) const {
  const double rate = head.dropout.rate;
  const Rng numbers = head.dropout.key;
  const Index first = head.mask_first + queries.first * head.mask_stride + key;
  const T kept = static_cast<T>(1 / (1 - rate));
  // two loops without a branch, so that the compiler makes vectors of them
  std::array<double, static_cast<std::size_t>(lane_count<T>)> uniform;
  std::array<T, static_cast<std::size_t>(lane_count<T>)> factors;
  for (Index lane = 0; lane < lane_count<T>; ++lane) {
    uniform[lane] = numbers.uniform(first + lane * head.mask_stride);
  }
  for (Index lane = 0; lane < lane_count<T>; ++lane) {
    factors[lane] = uniform[lane] < rate ? T(0) : kept;
  }
  return V::load_unaligned(factors.data());
}

// The only query sees every key that the chunks hold.
template <std::floating_point T>
void SoftmaxAttention<T>::forward_one(const AttentionHead<T>& head, T* o_row, T* largest_of,
                                      T* inverse_of, V* scratch_vectors) const {
  constexpr Index n = lane_count<T>;
  constexpr Index line = 64 / sizeof(T);
  const Scratch scratch = scratch_at(scratch_vectors, 1);
  V* const q = scratch.q;
  V* const o = scratch.o;
  V* const w = scratch.w;
  for (Index i = 0; i < vectors_per_row(); ++i) {
    q[i] = load_lanes(head.q.data + i * n, head_size_ - i * n) * scale_;
    o[i] = V(T(0));
  }
  T largest = hidden<T>;
  T sum = 0;
  for_each_chunk(head, queries_at(head, 0), [&](const KeyRows<T>& keys) {
    // s_j = q . k_j / sqrt(d) + bias
    V highest(hidden<T>);
    for (Index j = 0; j < keys.count; j += n) {
      std::array<V, static_cast<std::size_t>(n)> products;
      for (Index row = 0; row < n; ++row) {
        products[row] = V(T(0));
        if (j + row >= keys.count) continue;
        const T* const k = keys.k + (j + row) * keys.stride;
        // Rows are far apart: no prefetching by itself.
        for (Index c = 0; c < head_size_; c += line) {
          __builtin_prefetch(k + n * keys.stride + c);
          __builtin_prefetch(keys.v + (j + row) * keys.stride + c);
        }
        for (Index i = 0; i < vectors_per_row(); ++i) {
          products[row] =
              xsimd::fma(q[i], load_lanes(k + i * n, head_size_ - i * n), products[row]);
        }
      }
      V s = sum_each<T>(products);
      if (head.slope > 0) s += head.slope * (lane_numbers<T>() + static_cast<T>(keys.first + j));
      s = xsimd::select(lane_numbers<T>() < V(static_cast<T>(keys.count - j)), s, V(hidden<T>));
      highest = xsimd::max(highest, s);
      w[j / n] = s;
    }
    // the sums so far have a factor e^-before
    const T before = largest;
    largest = std::max(largest, largest_lane<T>(highest));
    const T shrink = std::exp(before - largest);
    V weights(T(0));
    for (Index j = 0; j < keys.count; j += n) {
      w[j / n] = xsimd::exp(w[j / n] - largest);
      weights += w[j / n];
    }
    sum = sum * shrink + xsimd::hadd(weights);
    const T* const weight = reinterpret_cast<const T*>(w);
    for (Index i = 0; i < vectors_per_row(); ++i) {
      std::array<V, 4> sums = {o[i] * shrink, V(T(0)), V(T(0)), V(T(0))};
      for (Index j = 0; j < keys.count; ++j) {
        const V v = load_lanes(keys.v + j * keys.stride + i * n, head_size_ - i * n);
        sums[j % 4] = xsimd::fma(V(weight[j]), v, sums[j % 4]);
      }
      o[i] = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    }
  });
  *largest_of = largest;
  *inverse_of = sum > 0 ? T(1) / sum : T(0);
  for (Index i = 0; i < vectors_per_row(); ++i) {
    store_lanes(o_row + i * n, o[i] * *inverse_of, head_size_ - i * n);
  }
}

template <std::floating_point T>
void SoftmaxAttention<T>::forward(const AttentionHead<T>& head, Matrix<T> o_rows, T* largest_of,
                                  T* inverse_of, V* scratch_vectors) const {
  if (head.q.rows == 1 && !head.dropout.active()) {
    return forward_one(head, o_rows.data, largest_of, inverse_of, scratch_vectors);
  }
  const Scratch scratch = scratch_at(scratch_vectors, head.q.rows);
  V* const q = scratch.q;
  V* const o = scratch.o;
  V* const w = scratch.w;
  for_each_queries(head, [&](const Queries& queries) {
    gather_lanes(head.q.row(queries.first), head.q.stride, queries.count, head_size_, q);
    std::fill_n(o, head_size_, V(T(0)));
    V largest(hidden<T>);
    V sum(T(0));
    bool first_chunk = true;
    for_each_chunk(head, queries, [&](const KeyRows<T>& keys) {
      score(head, queries, keys, q, w);
      const V before = largest;
      for (Index j = 0; j < keys.count; ++j) largest = xsimd::max(largest, w[j]);
      if (!std::exchange(first_chunk, false)) {  // the sums so far have a factor e^-before
        const V shrink = xsimd::exp(before - largest);
        sum *= shrink;
        for (Index c = 0; c < head_size_; ++c) o[c] *= shrink;
      }
      for (Index j = 0; j < keys.count; ++j) {
        w[j] = xsimd::exp(w[j] - largest);
        sum += w[j];
      }
      if (head.dropout.active()) {
        for (Index j = 0; j < keys.count; ++j) {
          w[j] *= dropout_factors(head, queries, keys.first + j);
        }
      }
      attention_products::mix(w, keys.v, keys.stride, keys.count, head_size_, o);
    });
    // A lane that sees none of the keys has seen each of them as hidden, with weight e^0.
    const V inverse = xsimd::select(largest > V(hidden<T>), T(1) / sum, V(T(0)));
    for (Index c = 0; c < head_size_; ++c) o[c] *= inverse;
    scatter_lanes(o, head_size_, queries.count, o_rows.row(queries.first), o_rows.stride);
    store_lanes(largest_of + queries.first, largest, queries.count);
    store_lanes(inverse_of + queries.first, inverse, queries.count);
  });
}

template <std::floating_point T>
void SoftmaxAttention<T>::backward(const AttentionHead<T>& head, Matrix<const T> o_rows,
                                   Matrix<const T> g_rows_of, const T* largest_of,
                                   const T* inverse_of, Matrix<T> dq_rows, Matrix<T> dk_rows,
                                   Matrix<T> dv_rows, V* scratch_vectors) const {
  const Index steps = head.q.rows;
  const Index vectors = vectors_per_row();
  const Scratch scratch = scratch_at(scratch_vectors, steps);
  V* const q = scratch.q;
  V* const o = scratch.o;
  V* const g = scratch.g;
  V* const dq = scratch.dq;
  V* const w = scratch.w;
  V* const dw = scratch.dw;
  V* const q_rows = scratch.q_rows;
  V* const g_rows = scratch.g_rows;
  V* const dk = scratch.dk;
  V* const dv = scratch.dv;
  std::fill_n(dk, steps * vectors, V(T(0)));
  std::fill_n(dv, steps * vectors, V(T(0)));
  for_each_queries(head, [&](const Queries& queries) {
    const Index row = queries.first;
    gather_lanes(head.q.row(row), head.q.stride, queries.count, head_size_, q);
    gather_lanes(o_rows.row(row), o_rows.stride, queries.count, head_size_, o);
    gather_lanes(g_rows_of.row(row), g_rows_of.stride, queries.count, head_size_, g);
    copy_rows(head.q.row_block(row, queries.count), q_rows);
    copy_rows(g_rows_of.row_block(row, queries.count), g_rows);
    std::fill_n(dq, head_size_, V(T(0)));
    V delta(T(0));
    for (Index c = 0; c < head_size_; ++c) delta += g[c] * o[c];
    const V largest = load_lanes(largest_of + row, queries.count);
    const V inverse = load_lanes(inverse_of + row, queries.count);  // 0 in lanes without a query
    for_each_chunk(head, queries, [&](const KeyRows<T>& keys) {
      score(head, queries, keys, q, w);
      // o_t = sum_j f_tj P_tj v_j: the weights
      attention_products::dots(g, head_size_, keys.v, keys.stride, keys.count, dw);
      for (Index j = 0; j < keys.count; ++j) {
        const V weight = xsimd::exp(w[j] - largest) * inverse;
        w[j] = weight;
        if (head.dropout.active()) {
          const V factor = dropout_factors(head, queries, keys.first + j);
          w[j] *= factor;
          dw[j] *= factor;
        }
        // P_t = softmax(s_t), and 1 / sqrt(d)
        dw[j] = weight * (dw[j] - delta) * scale_;
      }
      // q_t . k_j
      attention_products::mix(dw, keys.k, keys.stride, keys.count, head_size_, dq);
      if (keys.first < 0) return;  // no gradient flows to keys before the queries
      attention_products::spread(dw, q_rows, queries.count, vectors, keys.count,
                                 dk + keys.first * vectors);
      // o_t = sum_j f_tj P_tj v_j: the values
      attention_products::spread(w, g_rows, queries.count, vectors, keys.count,
                                 dv + keys.first * vectors);
    });
    scatter_lanes(dq, head_size_, queries.count, dq_rows.row(row), dq_rows.stride);
  });
  for (Index t = 0; t < steps; ++t) {
    for (Index i = 0; i < vectors; ++i) {
      const Index c = i * lane_count<T>;
      store_lanes(dk_rows.row(t) + c, dk[t * vectors + i], head_size_ - c);
      store_lanes(dv_rows.row(t) + c, dv[t * vectors + i], head_size_ - c);
    }
  }
}

template class SoftmaxAttention<float>;
template class SoftmaxAttention<double>;

}  // namespace rlt
