#include "mixing/attention.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "base/parallel.hpp"

namespace rlt {

double alibi_slope(Index h, Index heads) {
  return std::exp2(-8.0 * static_cast<double>(h) / static_cast<double>(heads));
}

template <std::floating_point T>
Attention<T>::Attention(const CellConfig& config)
    : width_(config.d_model),
      heads_(config.heads),
      head_size_(config.head_size()),
      positions_(config.positions),
      kernel_(head_size_),
      rotary_(head_size_) {}

template <std::floating_point T>
void Attention<T>::carve(Workspace& workspace, Extent largest) {
  thread_vectors_ = kernel_.scratch_vectors(largest.steps);
  starts_ = workspace.tape.take<T>(largest.rows());
  cached_ = workspace.tape.take<T>(largest.batch);
  largest_ = workspace.tape.take<T>(largest.rows(), heads_);
  inverse_ = workspace.tape.take<T>(largest.rows(), heads_);
  saved_ = workspace.tape.take<T>(largest.rows(), 2, width_);
  const ScratchScope scope(workspace);
  for_each_thread_ = workspace.scratch.take<V>(thread_count(), thread_vectors_);
}

template <std::floating_point T>
void Attention<T>::initial_state(Matrix<T> state) const {
  for (Index b = 0; b < state.rows; ++b) std::fill_n(state.row(b), state.cols, T(0));
}

template <std::floating_point T>
void Attention<T>::forward(Extent extent, const Pass<T>& pass, Matrix<T> projected,
                           Matrix<T> mixed) {
  pass_ = pass;
  cache_ = KeyValueCache<T>(pass.state, width_);
  place(extent);
  if (positions_ == Positions::rotary) {
    for_each_position(extent, projected, [this](Index position, T* q_and_k) {
      rotary_.turn(position, 2 * heads_, q_and_k);
    });
  }
  parallel_for(extent.batch * heads_, [&](Index index, int thread) {
    const Index b = index / heads_;
    const Index head = index % heads_;
    kernel_.forward(head_at(extent, b, head, projected), part(mixed, extent, b, head * head_size_),
                    largest_ + index * extent.steps, inverse_ + index * extent.steps,
                    for_each_thread_ + thread * thread_vectors_);
  });
  if (!cache_) return;
  parallel_for(extent.batch * heads_, [&](Index index, int) {
    append(extent, index / heads_, index % heads_, projected);
  });
  for (Index b = 0; b < extent.batch; ++b) {
    cache_.set_count(b, extent.steps - last_start(extent, b));
  }
}

template <std::floating_point T>
void Attention<T>::backward(Extent extent, Matrix<const T> projected, Matrix<const T> mixed,
                            Matrix<const T> dmixed, Matrix<T> dprojected) {
  parallel_for(extent.batch * heads_, [&](Index index, int thread) {
    const Index b = index / heads_;
    const Index head = index % heads_;
    AttentionHead<T> at = head_at(extent, b, head, projected);
    // The cache as the queries saw it: what forward wrote over was saved.
    const Index replaced = saved_rows(extent, b);
    const Matrix<T> old = saved(extent, b, head);
    KeyRows<T>& cache = at.keys[1];
    at.keys[0] = {old.data, old.data + width_, old.stride, cache.first, replaced};
    cache = cache.part(cache.first + replaced, 0);
    const Index col = head * head_size_;
    // o_t = sum_j f_tj P_tj v_j
    kernel_.backward(at, part(mixed, extent, b, col), part(dmixed, extent, b, col),
                     largest_ + index * extent.steps, inverse_ + index * extent.steps,
                     part(dprojected, extent, b, col), part(dprojected, extent, b, width_ + col),
                     part(dprojected, extent, b, 2 * width_ + col),
                     for_each_thread_ + thread * thread_vectors_);
  });
  // q and k turned by their positions
  if (positions_ == Positions::rotary) {
    for_each_position(extent, dprojected, [this](Index position, T* dq_and_dk) {
      rotary_.turn_back(position, 2 * heads_, dq_and_dk);
    });
  }
}

// Finds where each step's sequence starts. Error(failed) when the steps do not fit into the cache.
template <std::floating_point T>
void Attention<T>::place(Extent extent) {
  for (Index b = 0; b < extent.batch; ++b) {
    const Index cached = cache_.count(b);
    cached_[b] = static_cast<T>(cached);
    Index start = -cached;
    for (Index t = 0; t < extent.steps; ++t) {
      if (pass_.start(extent, b, t)) start = t;
      starts_[b * extent.steps + t] = static_cast<T>(start);
    }
    const Index length = extent.steps - start;
    if (cache_ && length > cache_.capacity()) {
      fail(Exit::failed,
           "attention cache: it holds {} steps, the sequence has come to {}; carry a state for a "
           "longer context",
           cache_.capacity(), length);
    }
  }
}

template <std::floating_point T>
template <typename Turn>
void Attention<T>::for_each_position(Extent extent, Matrix<T> rows, const Turn& turn) const {
  constexpr Index height = 64;
  parallel_for(divide_up(extent.rows(), height), [&](Index index, int) {
    for (Index row = index * height; row < std::min(extent.rows(), (index + 1) * height); ++row) {
      const Index position = row % extent.steps - static_cast<Index>(starts_[row]);
      turn(position, rows.row(row));
    }
  });
}

// How many cached rows the steps after the last start have replaced.
template <std::floating_point T>
Index Attention<T>::saved_rows(Extent extent, Index b) const {
  const Index start = last_start(extent, b);
  if (start < 0 || !cache_) return 0;
  return std::min(extent.steps - start, static_cast<Index>(cached_[b]));
}

// Rows of keys; the values lie D numbers behind.
template <std::floating_point T>
Matrix<T> Attention<T>::saved(Extent extent, Index b, Index head) const {
  return {saved_ + b * extent.steps * 2 * width_ + head * head_size_, extent.steps, head_size_,
          2 * width_};
}

template <std::floating_point T>
AttentionHead<T> Attention<T>::head_at(Extent extent, Index b, Index head,
                                       Matrix<const T> projected) const {
  const Index col = head * head_size_;
  const Matrix<const T> k = part(projected, extent, b, width_ + col);
  const Index cached = static_cast<Index>(cached_[b]);
  KeyRows<T> cache;
  if (cache_) {
    cache = {cache_.keys(b).data + col, cache_.values(b).data + col, width_, -cached, cached};
  }
  // In dropout's numbering key 0 is the first row of a full cache.
  const Index mask_stride = cache_.capacity() + extent.steps;
  return {.q = part(projected, extent, b, col),
          .keys = {KeyRows<T>(), cache, {k.data, k.data + width_, k.stride, 0, extent.steps}},
          .starts = starts(extent, b),
          .sees = sees_,
          .slope =
              positions_ == Positions::alibi ? static_cast<T>(alibi_slope(head + 1, heads_)) : T(0),
          .dropout = pass_.dropout,
          .mask_first = (b * heads_ + head) * extent.steps * mask_stride + cache_.capacity(),
          .mask_stride = mask_stride};
}

// Appends the keys and values to those in the cache; after a start, writes those since the start over them.
// What it writes over is saved, because queries before the start have seen it.
template <std::floating_point T>
void Attention<T>::append(Extent extent, Index b, Index head, Matrix<const T> projected) {
  const Index col = head * head_size_;
  const Matrix<T> keys = cache_.keys(b).col_block(col, head_size_);
  const Matrix<T> values = cache_.values(b).col_block(col, head_size_);
  const Matrix<T> old = saved(extent, b, head);
  for (Index row = 0; row < saved_rows(extent, b); ++row) {
    std::copy_n(keys.row(row), head_size_, old.row(row));
    std::copy_n(values.row(row), head_size_, old.row(row) + width_);
  }
  const Matrix<const T> k = part(projected, extent, b, width_ + col);
  const Matrix<const T> v = part(projected, extent, b, 2 * width_ + col);
  const Index start = last_start(extent, b);
  for (Index t = std::max<Index>(start, 0); t < extent.steps; ++t) {
    std::copy_n(k.row(t), head_size_, keys.row(t - start));
    std::copy_n(v.row(t), head_size_, values.row(t - start));
  }
}

template class Attention<float>;
template class Attention<double>;

}  // namespace rlt
