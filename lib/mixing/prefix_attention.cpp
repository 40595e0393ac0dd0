#include "mixing/prefix_attention.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/parallel.hpp"

namespace rlt {
namespace {

template <typename T>
using Steps = std::array<T, static_cast<std::size_t>(lane_count<T>)>;
template <typename T>
using Square = std::array<Lanes<T>, static_cast<std::size_t>(lane_count<T>)>;

}  // namespace

template <std::floating_point T>
void PrefixAttention<T>::carve(Workspace& workspace, Extent largest) {
  largest_ = workspace.tape.take<T>(largest.rows(), heads_);
  sum_ = workspace.tape.take<T>(largest.rows(), heads_);
  carried_ = workspace.tape.take<T>(largest.batch, heads_, state_numbers());
  const ScratchScope scope(workspace);
  const Index chunks = form_ == Form::loop ? 1 : divide_up(largest.steps, chunk_steps);
  states_ = workspace.scratch.take<T>(largest.batch, heads_, chunks, padded_state());
}

template <std::floating_point T>
void PrefixAttention<T>::initial_state(Matrix<T> state) const {
  for (Index b = 0; b < state.rows; ++b) {
    for (Index head = 0; head < heads_; ++head) refresh(state.row(b) + head * state_numbers());
  }
}

// On one thread the scan takes 1.3 to 1.4 times as long as the loop, 2 % of a training step at D = 64. It pays where
// there are fewer pairs than threads, and where its chunks are worth waking them.
template <std::floating_point T>
Index PrefixAttention<T>::chunk_length() const {
  const bool few_and_long = pairs() < 8 && extent_.steps >= 4 * chunk_steps;
  const bool scans = form_ == Form::scan || (form_ == Form::automatic && few_and_long);
  return scans ? chunk_steps : extent_.steps;
}

template <std::floating_point T>
auto PrefixAttention<T>::chunk_at(Index pair, Index index) const -> Chunk {
  const Index first = index * chunk_length();
  return {pair,  pair / heads_, pair % heads_,
          index, first,         std::min(extent_.steps, first + chunk_length())};
}

// body(Chunk) over the chunks first .. last - 1 of every pair, in parallel. The heads of a stretch of rows follow one
// another, so that they find it in cache; a task is long enough to be worth waking a thread.
template <std::floating_point T>
template <typename Body>
void PrefixAttention<T>::for_chunks(Index first, Index last, const Body& body) const {
  constexpr Index task_numbers = 16384;
  const Index count = last - first;
  const Index tasks = pairs() * count;
  const Index chunk_numbers = std::max<Index>(1, chunk_length() * d_);
  const Index together = std::max<Index>(1, task_numbers / chunk_numbers);
  parallel_for(divide_up(tasks, together), [&](Index task, int) {
    for (Index i = task * together; i < std::min(tasks, (task + 1) * together); ++i) {
      const Index stretch = i / heads_;
      body(chunk_at(stretch / count * heads_ + i % heads_, first + stretch % count));
    }
  });
}

template <std::floating_point T>
bool PrefixAttention<T>::start_among(const Chunk& at, Index first, Index last) const {
  for (Index t = first; t < last; ++t) {
    if (start(at, t)) return true;
  }
  return false;
}

template <std::floating_point T>
void PrefixAttention<T>::refresh(T* state) const {
  std::fill_n(state, d_ + 1, T(0));  // and c
  state[d_ + 1] = -std::numeric_limits<T>::infinity();
}

// after <- before joined with after. The steps of `after` are at least one: not both m are -inf.
template <std::floating_point T>
void PrefixAttention<T>::join(const T* before, T* after) const {
  const T m = std::max(before[d_ + 1], after[d_ + 1]);
  const T old = std::exp(before[d_ + 1] - m);
  const T own = std::exp(after[d_ + 1] - m);
  for (Index j = 0; j <= d_; ++j) after[j] = old * before[j] + own * after[j];  // and c
  after[d_ + 1] = m;
}

// s of `count` steps from t on, the last repeated to fill the vector.
template <std::floating_point T>
void PrefixAttention<T>::scores(Matrix<const T> inputs, const Chunk& at, Index t, Index count,
                                T* s) const {
  const T* const first = inputs.row(row(at, t)) + heads_ * d_ + at.head;
  for (Index i = 0; i < block_steps; ++i) s[i] = first[std::min(i, count - 1) * inputs.stride];
}

template <std::floating_point T>
void PrefixAttention<T>::forward(Extent extent, const Pass<T>& pass, Matrix<const T> inputs,
                                 Matrix<T> mixed) {
  extent_ = extent;
  pass_ = pass;
  const Forward rows{inputs, mixed};
  const Index chunks = chunk_count();
  // each chunk alone
  for_chunks(0, chunks - 1, [&](const Chunk& at) {
    T* const total = state(at.pair, at.index + 1);
    refresh(total);
    forward_chunk(rows, at, total, Run::total);
  });
  // with all that is before it
  for (Index pair = 0; pair < pairs(); ++pair) {
    refresh(state(pair, 0));
    if (pass.carries()) {
      std::copy_n(carried(pair), state_numbers(), state(pair, 0));
      if (keeps()) std::copy_n(carried(pair), state_numbers(), carried_ + pair * state_numbers());
    }
    for (Index k = 0; k + 1 < chunks; ++k) {
      const Chunk at = chunk_at(pair, k);
      if (!start_among(at, at.first, at.last)) join(state(pair, k), state(pair, k + 1));
    }
  }
  // each chunk from there
  for_chunks(0, chunks, [&](const Chunk& at) {
    forward_chunk(rows, at, state(at), Run::whole);
    if (pass.carries() && at.last == extent.steps) {
      std::copy_n(state(at), state_numbers(), carried(at.pair));
    }
  });
}

// In blocks of steps, none with a start behind its first step.
template <std::floating_point T>
void PrefixAttention<T>::forward_chunk(const Forward& rows, const Chunk& at, T* state,
                                       Run run) const {
  for (Index t = at.first; t < at.last;) {
    Index count = 1;
    while (count < block_steps && t + count < at.last && !start(at, t + count)) ++count;
    if (start(at, t)) refresh(state);
    forward_block(rows, at, t, count, state, run);
    t += count;
  }
}

template <std::floating_point T>
void PrefixAttention<T>::forward_block(const Forward& rows, const Chunk& at, Index t, Index count,
                                       T* state, Run run) const {
  T& c = state[d_];
  T& m = state[d_ + 1];
  Steps<T> s, before, after, decay, weight, sums, inverse;
  scores(rows.inputs, at, t, count, s.data());
  // m_t = max(m_{t-1}, s_t)
  for (Index i = 0; i < block_steps; ++i) {
    before[i] = m;
    m = std::max(m, s[i]);
    after[i] = m;
  }
  const V largest_here = load_lanes(after.data());
  store_lanes(decay.data(), xsimd::exp(load_lanes(before.data()) - largest_here));
  store_lanes(weight.data(), xsimd::exp(load_lanes(s.data()) - largest_here));
  // c_t = e^(m_{t-1} - m_t) c_{t-1} + e^(s_t - m_t)
  sums.fill(T(1));
  for (Index i = 0; i < count; ++i) {
    c = decay[i] * c + weight[i];
    sums[i] = c;
  }
  store_lanes(inverse.data(), T(1) / load_lanes(sums.data()));
  if (run == Run::whole && keeps()) {
    store_lanes(largest(at, t), largest_here, count);
    store_lanes(sum(at, t), load_lanes(sums.data()), count);
  }
  // a_t = e^(m_{t-1} - m_t) a_{t-1} + e^(s_t - m_t) v_t,  o_t = a_t / c_t
  const T* const v = rows.inputs.row(row(at, t)) + at.head * d_;
  T* const o = rows.mixed.row(row(at, t)) + at.head * d_;
  for (Index j = 0; j < d_; j += lane_count<T>) {
    const Index n = d_ - j;
    V a = load_lanes(state + j, n);
    for (Index i = 0; i < count; ++i) {
      a = xsimd::fma(V(weight[i]), load_lanes(v + i * rows.inputs.stride + j, n), a * decay[i]);
      if (run == Run::whole) store_lanes(o + i * rows.mixed.stride + j, a * inverse[i], n);
    }
    store_lanes(state + j, a, n);
  }
}

template <std::floating_point T>
void PrefixAttention<T>::backward(Matrix<const T> inputs, Matrix<const T> mixed,
                                  Matrix<const T> dmixed, Matrix<T> dinputs, T* shift) {
  const Backward rows{inputs, mixed, dmixed, dinputs};
  const Index chunks = chunk_count();
  // each chunk alone
  for_chunks(1, chunks, [&](const Chunk& at) {
    T* const total = state(at.pair, at.index - 1);
    std::fill_n(total, d_ + 1, T(0));
    backward_chunk(rows, at, total, Run::total);
  });
  // with all that is behind it
  for (Index pair = 0; pair < pairs(); ++pair) {
    std::fill_n(state(pair, chunks - 1), d_ + 1, T(0));
    for (Index k = chunks - 2; k > 0; --k) {
      const Chunk at = chunk_at(pair, k);
      if (start_among(at, at.first, at.last + 1)) continue;
      const T decay = std::exp(*largest(at, at.first) - *largest(at, at.last));
      for (Index j = 0; j <= d_; ++j) state(pair, k - 1)[j] += decay * state(pair, k)[j];
    }
  }
  // each chunk from there
  for_chunks(0, chunks, [&](const Chunk& at) { backward_chunk(rows, at, state(at), Run::whole); });
  // sum_t ds_t = -e^(m_0 - m_1) (a_0 . G_1 - c_0 H_1)
  std::fill_n(shift, heads_, T(0));
  for (Index pair = 0; pass_.carries() && pair < pairs(); ++pair) {
    if (start(chunk_at(pair, 0), 0)) continue;  // m_1 may lie far below m_0
    const T* const a = carried_ + pair * state_numbers();
    const T* const behind = state(pair, 0);  // G_1 | H_1
    T sum = -a[d_] * behind[d_];
    for (Index j = 0; j < d_; ++j) sum += a[j] * behind[j];
    shift[pair % heads_] -= std::exp(a[d_ + 1] - largest_[pair * extent_.steps]) * sum;
  }
}

template <std::floating_point T>
void PrefixAttention<T>::backward_chunk(const Backward& rows, const Chunk& at, T* dstate,
                                        Run run) const {
  for (Index end = at.last; end > at.first;) {
    Index count = 1;
    while (count < block_steps && end - count > at.first && !start(at, end - count)) ++count;
    end -= count;
    backward_block(rows, at, end, count, dstate, run);
    if (start(at, end)) std::fill_n(dstate, d_ + 1, T(0));
  }
}

template <std::floating_point T>
void PrefixAttention<T>::backward_block(const Backward& rows, const Chunk& at, Index t, Index count,
                                        T* dstate, Run run) const {
  Steps<T> s, next, weight, decay, inverse, h;
  scores(rows.inputs, at, t, count, s.data());
  const V largest_here = load_lanes(largest(at, t), count);
  const Index end = t + count;
  const bool ends = end == extent_.steps || start(at, end);
  for (Index i = 0; i < block_steps; ++i) {
    next[i] = *largest(at, std::min(t + i + 1, ends ? end - 1 : end));
  }
  store_lanes(weight.data(), xsimd::exp(load_lanes(s.data()) - largest_here));
  store_lanes(decay.data(), xsimd::exp(largest_here - load_lanes(next.data())));
  store_lanes(inverse.data(), T(1) / load_lanes(sum(at, t), count));
  const Index first = row(at, t);
  const Index col = at.head * d_;
  Square<T> reads{};  // v_t . G_t
  Square<T> alike{};  // do_t . o_t
  // o_t = a_t / c_t,  a_t = e^(m_{t-1} - m_t) a_{t-1} + e^(s_t - m_t) v_t:  G_t, dv_t
  for (Index j = 0; j < d_; j += lane_count<T>) {
    const Index n = d_ - j;
    V gathered = load_lanes(dstate + j, n);  // G
    for (Index i = count - 1; i >= 0; --i) {
      const V dout = load_lanes(rows.dmixed.row(first + i) + col + j, n);
      alike[i] = xsimd::fma(dout, load_lanes(rows.mixed.row(first + i) + col + j, n), alike[i]);
      gathered = xsimd::fma(V(inverse[i]), dout, gathered * decay[i]);
      if (run == Run::total) continue;
      store_lanes(rows.dinputs.row(first + i) + col + j, gathered * weight[i], n);
      reads[i] =
          xsimd::fma(load_lanes(rows.inputs.row(first + i) + col + j, n), gathered, reads[i]);
    }
    store_lanes(dstate + j, gathered, n);
  }
  // c_t = e^(m_{t-1} - m_t) c_{t-1} + e^(s_t - m_t):  H_t, ds_t
  store_lanes(h.data(), sum_each<T>(alike) * load_lanes(inverse.data()));
  T& behind = dstate[d_];  // H_{t + 1}
  for (Index i = count - 1; i >= 0; --i) {
    behind = decay[i] * behind + h[i];
    h[i] = behind;
  }
  if (run == Run::total) return;
  Steps<T> ds;
  store_lanes(ds.data(), load_lanes(weight.data()) * (sum_each<T>(reads) - load_lanes(h.data())));
  for (Index i = 0; i < count; ++i) rows.dinputs.row(first + i)[heads_ * d_ + at.head] = ds[i];
}

template class PrefixAttention<float>;
template class PrefixAttention<double>;

}  // namespace rlt
