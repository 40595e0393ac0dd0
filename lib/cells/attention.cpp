#include "cells/attention.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "base/parallel.hpp"
#include "cells/attention_products.hpp"

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

/// to[row] = the first d numbers of each row, filled up with zeros to whole vectors.
template <typename T>
void copy_rows(const T* from, Index stride, Index count, Index d, Lanes<T>* to) {
  for (Index row = 0; row < count; ++row) {
    for (Index c = 0; c < d; c += lane_count<T>) {
      *to++ = load_lanes(from + row * stride + c, d - c);
    }
  }
}

}  // namespace

double alibi_slope(Index h, Index heads) {
  return std::exp2(-8.0 * static_cast<double>(h) / static_cast<double>(heads));
}

/// Rows of keys and values that lie in one place; `first` counts from the segment's first step.
template <std::floating_point T>
struct Attention<T>::Keys {
  const T* k;
  const T* v;
  Index stride, first, count;

  Keys part(Index from, Index to) const {
    const Index skipped = (from - first) * stride;
    return {k + skipped, v + skipped, stride, from, to - from};
  }
};

/// One head of one sequence. Its keys in order: cached ones that the segment has replaced since, cached
/// ones, the segment's own.
template <std::floating_point T>
struct Attention<T>::Pair {
  Index b, head;
  T slope;
  std::array<Keys, 3> keys;

  Index index(Index heads) const { return b * heads + head; }
};

/// Steps first .. first + count - 1 of a sequence, one a lane.
template <std::floating_point T>
struct Attention<T>::Queries {
  Index first, count;
  Index begin, latest_begin;  // first key that any query sees; first key that all see
  V step, begins;
};

template <std::floating_point T>
struct Attention<T>::Scratch {
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
Attention<T>::Attention(const CellConfig& config)
    : width_(config.d_model),
      heads_(config.heads),
      head_(config.head_size()),
      positions_(config.positions),
      scale_(static_cast<T>(1 / std::sqrt(static_cast<double>(head_)))),
      rotary_(head_) {}

template <std::floating_point T>
void Attention<T>::carve(Workspace& workspace, Extent largest) {
  largest_steps_ = largest.steps;
  begins_ = workspace.tape.take<T>(largest.rows());
  cached_ = workspace.tape.take<T>(largest.batch);
  largest_ = workspace.tape.take<T>(largest.rows(), heads_);
  inverse_ = workspace.tape.take<T>(largest.rows(), heads_);
  saved_ = workspace.tape.take<T>(largest.rows(), 2, width_);
  const ScratchScope scope(workspace);
  for_each_thread_ = workspace.scratch.take<V>(thread_count(), thread_vectors(largest.steps));
}

template <std::floating_point T>
Index Attention<T>::thread_vectors(Index steps) const {
  return 4 * head_ + 2 * chunk + 2 * (lane_count<T> + steps) * vectors_per_row();
}

template <std::floating_point T>
typename Attention<T>::Scratch Attention<T>::scratch_of(int thread) const {
  Scratch scratch;
  V* next = for_each_thread_ + thread * thread_vectors(largest_steps_);
  const auto take = [&](V*& piece, Index count) {
    piece = next;
    next += count;
  };
  for (V** const piece : {&scratch.q, &scratch.o, &scratch.g, &scratch.dq}) take(*piece, head_);
  for (V** const piece : {&scratch.w, &scratch.dw}) take(*piece, chunk);
  for (V** const piece : {&scratch.q_rows, &scratch.g_rows}) {
    take(*piece, lane_count<T> * vectors_per_row());
  }
  for (V** const piece : {&scratch.dk, &scratch.dv})
    take(*piece, largest_steps_ * vectors_per_row());
  return scratch;
}

template <std::floating_point T>
void Attention<T>::initial_state(Matrix<T> state) const {
  for (Index b = 0; b < state.rows; ++b)
    std::fill_n(state.data + b * state.stride, state.cols, T(0));
}

template <std::floating_point T>
void Attention<T>::forward(Extent extent, const Carry<T>& carry, Matrix<T> projected,
                           Matrix<T> mixed) {
  carry_ = carry;
  place(extent);
  if (positions_ == Positions::rotary) {
    for_each_position(extent, projected, [this](Index position, T* q_and_k) {
      rotary_.turn(position, 2 * heads_, q_and_k);
    });
  }
  parallel_for(extent.batch * heads_, [&](Index index, int thread) {
    const Pair pair = pair_at(extent, index, projected);
    forward_pair(extent, pair, projected, mixed, scratch_of(thread));
  });
  if (carry_.state.data == nullptr) return;
  parallel_for(extent.batch * heads_, [&](Index index, int) {
    append(extent, pair_at(extent, index, projected), projected);
  });
  for (Index b = 0; b < extent.batch; ++b) {
    const T begin = begins_[(b + 1) * extent.steps - 1];
    carry_.state.data[b * carry_.state.stride] = static_cast<T>(extent.steps) - begin;
  }
}

template <std::floating_point T>
void Attention<T>::backward(Extent extent, Matrix<const T> projected, Matrix<const T> mixed,
                            Matrix<const T> dmixed, Matrix<T> dprojected) {
  parallel_for(extent.batch * heads_, [&](Index index, int thread) {
    Pair pair = pair_at(extent, index, projected);
    const Index saved = saved_rows(extent, pair.b);
    Keys& old = pair.keys[0];
    Keys& cache = pair.keys[1];
    const T* const k = saved_ + pair.b * extent.steps * 2 * width_ + pair.head * head_;
    old = {k, k + width_, 2 * width_, cache.first, saved};
    cache = cache.part(cache.first + saved, 0);
    backward_pair(extent, pair, projected, mixed, dmixed, dprojected, scratch_of(thread));
  });
  if (positions_ == Positions::rotary) {
    for_each_position(extent, dprojected, [this](Index position, T* dq_and_dk) {
      rotary_.turn_back(position, 2 * heads_, dq_and_dk);
    });
  }
}

// Finds what each step sees, and that the steps fit into the cache.
template <std::floating_point T>
void Attention<T>::place(Extent extent) {
  capacity_ = carry_.state.data == nullptr ? 0 : (carry_.state.cols - 1) / (2 * width_);
  for (Index b = 0; b < extent.batch; ++b) {
    const bool carries = carry_.state.data != nullptr;
    cached_[b] = carries ? carry_.state.data[b * carry_.state.stride] : T(0);
    Index begin = -static_cast<Index>(cached_[b]);
    for (Index t = 0; t < extent.steps; ++t) {
      if (carry_.start(extent, b, t)) begin = t;
      begins_[b * extent.steps + t] = static_cast<T>(begin);
    }
    const Index length = extent.steps - begin;
    if (carries && length > capacity_) {
      fail(Exit::failed,
           "attention cache: it holds {} steps, the sequence has come to {}; carry a state for a "
           "longer context",
           capacity_, length);
    }
  }
}

template <std::floating_point T>
template <typename Turn>
void Attention<T>::for_each_position(Extent extent, Matrix<T> rows, const Turn& turn) const {
  constexpr Index height = 64;
  parallel_for(divide_up(extent.rows(), height), [&](Index block, int) {
    for (Index row = block * height; row < std::min(extent.rows(), (block + 1) * height); ++row) {
      const Index position = row % extent.steps - static_cast<Index>(begins_[row]);
      turn(position, rows.data + row * rows.stride);
    }
  });
}

// How many cached rows the steps after the last start have replaced.
template <std::floating_point T>
Index Attention<T>::saved_rows(Extent extent, Index b) const {
  const Index begin = static_cast<Index>(begins_[(b + 1) * extent.steps - 1]);
  if (begin < 0 || carry_.state.data == nullptr) return 0;
  return std::min(extent.steps - begin, static_cast<Index>(cached_[b]));
}

// The value lies capacity D numbers behind.
template <std::floating_point T>
T* Attention<T>::cached_key(Index b, Index row) const {
  return carry_.state.data + b * carry_.state.stride + 1 + row * width_;
}

template <std::floating_point T>
typename Attention<T>::Pair Attention<T>::pair_at(Extent extent, Index index,
                                                  Matrix<const T> projected) const {
  const Index b = index / heads_;
  const Index head = index % heads_;
  const T slope =
      positions_ == Positions::alibi ? static_cast<T>(alibi_slope(head + 1, heads_)) : T(0);
  const T* const k = projected.data + b * extent.steps * projected.stride + width_ + head * head_;
  const Keys own{k, k + width_, projected.stride, 0, extent.steps};
  const Keys none{nullptr, nullptr, 0, 0, 0};
  if (carry_.state.data == nullptr) return {b, head, slope, {none, none, own}};
  const Index cached = static_cast<Index>(cached_[b]);
  const T* const cached_k = cached_key(b, 0) + head * head_;
  const Keys cache{cached_k, cached_k + capacity_ * width_, width_, -cached, cached};
  return {b, head, slope, {none, cache, own}};
}

template <std::floating_point T>
typename Attention<T>::Queries Attention<T>::queries_at(Extent extent, const Pair& pair,
                                                        Index first) const {
  const Index partial = extent.steps % lane_count<T>;
  const Index count = first == 0 && partial > 0 ? partial : lane_count<T>;
  const T* const begins = begins_ + pair.b * extent.steps + first;
  return {first,
          count,
          static_cast<Index>(begins[0]),
          static_cast<Index>(begins[count - 1]),
          lane_numbers<T>() + static_cast<T>(first),
          load_lanes(begins, count)};
}

// body(queries) for the steps of one sequence. The vector that is not full comes first: it has the fewest
// keys to see.
template <std::floating_point T>
template <typename Body>
void Attention<T>::for_each_queries(Extent extent, const Pair& pair, const Body& body) const {
  for (Index first = 0; first < extent.steps;) {
    const Queries queries = queries_at(extent, pair, first);
    body(queries);
    first += queries.count;
  }
}

// body(keys) for all keys that some query sees, in order, at most `chunk` at a time.
template <std::floating_point T>
template <typename Body>
void Attention<T>::for_each_chunk(const Pair& pair, const Queries& queries,
                                  const Body& body) const {
  for (const Keys& keys : pair.keys) {
    const Index to = std::min(keys.first + keys.count, queries.first + queries.count);
    for (Index from = std::max(keys.first, queries.begin); from < to; from += chunk) {
      body(keys.part(from, std::min(to, from + chunk)));
    }
  }
}

// s_j = q . k_j / sqrt(d) + bias, `hidden` in the lanes that do not see key j
template <std::floating_point T>
void Attention<T>::score(const Pair& pair, const Queries& queries, const Keys& keys, const V* q,
                         V* s) const {
  attention_products::dots(q, head_, keys.k, keys.stride, keys.count, s);
  for (Index j = 0; j < keys.count; ++j) {
    const Index step = keys.first + j;
    const V key(static_cast<T>(step));
    s[j] *= scale_;
    if (pair.slope > 0) s[j] += pair.slope * (key - queries.step);
    if (step > queries.first || step < queries.latest_begin) {
      s[j] = xsimd::select(key <= queries.step && key >= queries.begins, s[j], V(hidden<T>));
    }
  }
}

// Mask entry (b, head, query, key); the key counts from the place of the cache's first row.
template <std::floating_point T>
typename Attention<T>::V Attention<T>::dropout_factors(Extent extent, const Pair& pair,
                                                       const Queries& queries, Index key) const {
  const double rate = carry_.dropout.rate;
  const Rng numbers = carry_.dropout.key;
  const Index stride = capacity_ + extent.steps;
  const Index first =
      (pair.index(heads_) * extent.steps + queries.first) * stride + capacity_ + key;
  const T kept = static_cast<T>(1 / (1 - rate));
  // two loops without a branch, so that the compiler makes vectors of them
  std::array<double, static_cast<std::size_t>(lane_count<T>)> uniform;
  std::array<T, static_cast<std::size_t>(lane_count<T>)> factors;
  for (Index lane = 0; lane < lane_count<T>; ++lane) {
    uniform[lane] = numbers.uniform(first + lane * stride);
  }
  for (Index lane = 0; lane < lane_count<T>; ++lane) {
    factors[lane] = uniform[lane] < rate ? T(0) : kept;
  }
  return V::load_unaligned(factors.data());
}

template <std::floating_point T>
void Attention<T>::forward_pair(Extent extent, const Pair& pair, Matrix<const T> projected,
                                Matrix<T> mixed, const Scratch& scratch) {
  V* const q = scratch.q;
  V* const o = scratch.o;
  V* const w = scratch.w;
  for_each_queries(extent, pair, [&](const Queries& queries) {
    const Index row = pair.b * extent.steps + queries.first;
    gather_lanes(projected.data + row * projected.stride + pair.head * head_, projected.stride,
                 queries.count, head_, q);
    std::fill_n(o, head_, V(T(0)));
    V largest(hidden<T>);
    V sum(T(0));
    for_each_chunk(pair, queries, [&](const Keys& keys) {
      score(pair, queries, keys, q, w);
      const V before = largest;
      for (Index j = 0; j < keys.count; ++j) largest = xsimd::max(largest, w[j]);
      if (keys.first > queries.begin) {  // what was summed so far is in powers of e^-before
        const V shrink = xsimd::exp(before - largest);
        sum *= shrink;
        for (Index c = 0; c < head_; ++c) o[c] *= shrink;
      }
      for (Index j = 0; j < keys.count; ++j) {
        w[j] = xsimd::exp(w[j] - largest);
        sum += w[j];
      }
      if (carry_.dropout.active()) {
        for (Index j = 0; j < keys.count; ++j) {
          w[j] *= dropout_factors(extent, pair, queries, keys.first + j);
        }
      }
      attention_products::mix(w, keys.v, keys.stride, keys.count, head_, o);
    });
    const V inverse = T(1) / sum;
    for (Index c = 0; c < head_; ++c) o[c] *= inverse;
    scatter_lanes(o, head_, queries.count, mixed.data + row * mixed.stride + pair.head * head_,
                  mixed.stride);
    const Index kept = pair.index(heads_) * extent.steps + queries.first;
    store_lanes(largest_ + kept, largest, queries.count);
    store_lanes(inverse_ + kept, inverse, queries.count);
  });
}

template <std::floating_point T>
void Attention<T>::backward_pair(Extent extent, const Pair& pair, Matrix<const T> projected,
                                 Matrix<const T> mixed, Matrix<const T> dmixed,
                                 Matrix<T> dprojected, const Scratch& scratch) const {
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
  const Index vectors = vectors_per_row();
  std::fill_n(dk, extent.steps * vectors, V(T(0)));
  std::fill_n(dv, extent.steps * vectors, V(T(0)));
  for_each_queries(extent, pair, [&](const Queries& queries) {
    const Index row = pair.b * extent.steps + queries.first;
    const auto at = [&](auto rows) { return rows.data + row * rows.stride + pair.head * head_; };
    gather_lanes(at(projected), projected.stride, queries.count, head_, q);
    gather_lanes(at(mixed), mixed.stride, queries.count, head_, o);
    gather_lanes(at(dmixed), dmixed.stride, queries.count, head_, g);
    copy_rows(at(projected), projected.stride, queries.count, head_, q_rows);
    copy_rows(at(dmixed), dmixed.stride, queries.count, head_, g_rows);
    std::fill_n(dq, head_, V(T(0)));
    V delta(T(0));
    for (Index c = 0; c < head_; ++c) delta += g[c] * o[c];
    const Index kept = pair.index(heads_) * extent.steps + queries.first;
    const V largest = load_lanes(largest_ + kept, queries.count);
    const V inverse = load_lanes(inverse_ + kept, queries.count);  // 0 in the lanes without a query
    for_each_chunk(pair, queries, [&](const Keys& keys) {
      score(pair, queries, keys, q, w);
      attention_products::dots(g, head_, keys.v, keys.stride, keys.count, dw);
      for (Index j = 0; j < keys.count; ++j) {
        const V weight = xsimd::exp(w[j] - largest) * inverse;
        w[j] = weight;
        if (carry_.dropout.active()) {
          const V factor = dropout_factors(extent, pair, queries, keys.first + j);
          w[j] *= factor;
          dw[j] *= factor;
        }
        dw[j] = weight * (dw[j] - delta) * scale_;
      }
      attention_products::mix(dw, keys.k, keys.stride, keys.count, head_, dq);
      if (keys.first < 0) return;  // no gradient flows into the cache
      attention_products::spread(dw, q_rows, queries.count, vectors, keys.count,
                                 dk + keys.first * vectors);
      attention_products::spread(w, g_rows, queries.count, vectors, keys.count,
                                 dv + keys.first * vectors);
    });
    scatter_lanes(dq, head_, queries.count, at(dprojected), dprojected.stride);
  });
  for (Index t = 0; t < extent.steps; ++t) {
    T* const dkey = dprojected.data + (pair.b * extent.steps + t) * dprojected.stride + width_ +
                    pair.head * head_;
    for (Index i = 0; i < vectors; ++i) {
      const Index c = i * lane_count<T>;
      store_lanes(dkey + c, dk[t * vectors + i], head_ - c);
      store_lanes(dkey + width_ + c, dv[t * vectors + i], head_ - c);
    }
  }
}

// Writes the keys and values since the last start behind those in the cache, or over them after a start;
// what it writes over is saved, because queries before the start have seen it.
template <std::floating_point T>
void Attention<T>::append(Extent extent, const Pair& pair, Matrix<const T> projected) {
  const Keys& own = pair.keys[2];
  const Index begin = static_cast<Index>(begins_[(pair.b + 1) * extent.steps - 1]);
  const Index saved = saved_rows(extent, pair.b);
  const Index behind = capacity_ * width_;
  T* cache = cached_key(pair.b, 0) + pair.head * head_;
  T* keep = saved_ + pair.b * extent.steps * 2 * width_ + pair.head * head_;
  for (Index row = 0; row < saved; ++row) {
    std::copy_n(cache + row * width_, head_, keep + row * 2 * width_);
    std::copy_n(cache + behind + row * width_, head_, keep + row * 2 * width_ + width_);
  }
  for (Index t = std::max<Index>(begin, 0); t < extent.steps; ++t) {
    std::copy_n(own.k + t * projected.stride, head_, cache + (t - begin) * width_);
    std::copy_n(own.v + t * projected.stride, head_, cache + behind + (t - begin) * width_);
  }
}

template class Attention<float>;
template class Attention<double>;

}  // namespace rlt
