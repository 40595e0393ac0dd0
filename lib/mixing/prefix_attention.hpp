// Softmax attention of one query, the same at every step, to the steps so far. The query is inside the scores, so that
// a head reads a number s_t and a vector v_t (d) at each step and attends in constant memory, by a recurrence over
// time or by a scan. Feng et al. 2024 (arXiv 2405.13956).
//
//   m_t = max(m_{t-1}, s_t)                                                              m_0 = -inf
//   c_t = e^(m_{t-1} - m_t) c_{t-1} + e^(s_t - m_t)                                      c_0 = 0
//   a_t = e^(m_{t-1} - m_t) a_{t-1} + e^(s_t - m_t) v_t                                  a_0 = 0
//   o_t = a_t / c_t  =  sum_{i <= t} softmax_i(s_1 .. s_t) v_i
// Backward, for t = T..1, G (d) and H from step t + 1, 0 where a sequence starts or the pass ends:
//   G_t = do_t / c_t         + e^(m_t - m_{t+1}) G_{t+1}
//   H_t = (do_t . o_t) / c_t + e^(m_t - m_{t+1}) H_{t+1}
//   dv_t = e^(s_t - m_t) G_t         ds_t = e^(s_t - m_t) (v_t . G_t - H_t)
// m is only the unit in which a and c are counted and has no gradient. m never falls: no exponent is above 0.
// A number added to all scores changes nothing but how much a carried state weighs beside them, so
//   sum_t ds_t = -e^(m_0 - m_1) (a_0 . G_1 - c_0 H_1): exactly 0 for a fresh sequence.
//
// Scan: (a, c, m) of the steps of a set joins with that of another set by the same rule, in any grouping. Time is cut
// into chunks; their totals are computed side by side, joined in order, and every chunk then runs from what is before
// it; backward in the same way with G and H from behind. The loop is one chunk as long as the pass.
// Memory: state d + 2 per head; tape 2 per head and step, beside s, v and o of the caller.
#pragma once

#include "mixing/cell.hpp"
#include "tensor/lanes.hpp"

namespace rlt {

template <std::floating_point T>
class PrefixAttention {
 public:
  enum class Form { automatic, loop, scan };

  PrefixAttention(Index heads, Index head_size, Form form)
      : heads_(heads), d_(head_size), form_(form) {}

  void carve(Workspace& workspace, Extent largest);
  StateLayout state_layout() const {
    return {.pieces = {{"a", {d_}}, {"c", {}}, {"m", {}}}, .copies = heads_};
  }
  void initial_state(Matrix<T> state) const;

  /// inputs (B T, H d + H): v of every head, then s of every head -> mixed (B T, H d) o.
  void forward(Extent extent, const Pass<T>& pass, Matrix<const T> inputs, Matrix<T> mixed);
  /// Overwrites dinputs with dv | ds, and shift (H) with the sums of ds over all rows.
  void backward(Matrix<const T> inputs, Matrix<const T> mixed, Matrix<const T> dmixed,
                Matrix<T> dinputs, T* shift);

 private:
  using V = Lanes<T>;
  static constexpr Index chunk_steps = 512;
  static constexpr Index block_steps = lane_count<T>;  // exponents of as many steps side by side

  /// Steps first .. last - 1 of one head of one sequence.
  struct Chunk {
    Index pair, sequence, head, index, first, last;
  };
  struct Forward {
    Matrix<const T> inputs;
    Matrix<T> mixed;
  };
  struct Backward {
    Matrix<const T> inputs, mixed, dmixed;
    Matrix<T> dinputs;
  };
  /// The totals of a chunk alone, or all that comes of it.
  enum class Run { total, whole };

  Index state_numbers() const { return d_ + 2; }
  Index padded_state() const { return round_up(state_numbers(), memory_alignment / sizeof(T)); }
  Index pairs() const { return extent_.batch * heads_; }
  Index chunk_length() const;
  Index chunk_count() const { return divide_up(extent_.steps, chunk_length()); }
  Chunk chunk_at(Index pair, Index index) const;
  template <typename Body>
  void for_chunks(Index first, Index last, const Body& body) const;

  /// a | c | m before a chunk; backward G | H behind it.
  T* state(Index pair, Index chunk) const {
    return states_ + (pair * chunk_count() + chunk) * padded_state();
  }
  T* state(const Chunk& at) const { return state(at.pair, at.index); }
  T* carried(Index pair) const {
    return pass_.state.row(pair / heads_) + pair % heads_ * state_numbers();
  }
  Index row(const Chunk& at, Index t) const { return at.sequence * extent_.steps + t; }
  T* largest(const Chunk& at, Index t) const { return largest_ + at.pair * extent_.steps + t; }
  T* sum(const Chunk& at, Index t) const { return sum_ + at.pair * extent_.steps + t; }
  bool keeps() const { return pass_.keep == Pass<T>::Keep::tape; }
  bool start(const Chunk& at, Index t) const { return pass_.start(extent_, at.sequence, t); }
  bool start_among(const Chunk& at, Index first, Index last) const;

  void refresh(T* state) const;
  void join(const T* before, T* after) const;
  void forward_chunk(const Forward& rows, const Chunk& at, T* state, Run run) const;
  void forward_block(const Forward& rows, const Chunk& at, Index t, Index count, T* state,
                     Run run) const;
  void backward_chunk(const Backward& rows, const Chunk& at, T* dstate, Run run) const;
  void backward_block(const Backward& rows, const Chunk& at, Index t, Index count, T* dstate,
                      Run run) const;
  void scores(Matrix<const T> inputs, const Chunk& at, Index t, Index count, T* s) const;

  Index heads_;
  Index d_;
  Form form_;
  Extent extent_;
  Pass<T> pass_;
  // tape
  T* largest_ = nullptr;  // (B, H, T) m
  T* sum_ = nullptr;      // (B, H, T) c
  T* carried_ = nullptr;  // (B, H, d + 2) the state before the first step
  // scratch
  T* states_ = nullptr;  // (B, H, chunks, d + 2, padded)
};

}  // namespace rlt
