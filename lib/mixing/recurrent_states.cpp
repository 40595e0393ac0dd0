#include "mixing/recurrent_states.hpp"

#include <algorithm>

#include "base/parallel.hpp"
#include "mixing/unit_rows.hpp"
#include "nn/elementwise.hpp"

namespace rlt {
namespace {

constexpr Index hidden_factor = 4;  // of the MLP of dual and single

}  // namespace

template <std::floating_point T>
RecurrentStates<T>::RecurrentStates(const CellConfig& config)
    : width_(config.d_model),
      heads_(config.heads),
      d_(config.head_size()),
      window_(config.count("window")),
      states_(config.count("states")),
      plan_(window_),
      self_scale_(heads_),
      token_scale_(heads_),
      update_(StateUpdate<T>::parse(config.text("configuration")),
              StateGate<T>::parse(config.text("gate")), width_, 2 * width_,
              hidden_factor * width_) {}

template <std::floating_point T>
void RecurrentStates<T>::declare(ParameterSet<T>& parameters, const std::string& name) {
  initial_ = &parameters.add(name + ".initial", {states_, width_}, init::normal(0.1));
  ids_ = &parameters.add(name + ".ids", {states_, width_}, init::normal(1));
  norm_.declare(parameters, name + ".norm", width_);
  slow_.declare(parameters, name + ".slow", width_, 4 * width_, Bias::none, init::lecun_normal());
  self_scale_.declare(parameters, name + ".self_scale");
  token_scale_.declare(parameters, name + ".token_scale");
  update_.declare(parameters, name);
}

template <std::floating_point T>
void RecurrentStates<T>::carve(Workspace& workspace, Extent largest, bool kept) {
  Arena& scratch = kept ? workspace.tape : workspace.scratch;
  const Index entries = product(states_, plan_.most_entries(largest));
  const Index updates = product(states_, plan_.most_updates(largest));
  const Index of_wave = product(states_, largest.batch);
  const Index values = entries + updates;
  plan_.carve(workspace, largest);
  starts_ = workspace.tape.take<Index>(largest.rows());
  counts_ = workspace.tape.take<Index>(largest.batch);
  learned_ = workspace.tape.take<std::uint8_t>(largest.batch);
  c_ = workspace.tape.take<T>(values, width_);
  u_ = workspace.tape.take<T>(values, width_);
  projected_ = workspace.tape.take<T>(values, 4, width_);
  lengths_ = workspace.tape.take<T>(values, 3, heads_);
  old_ = workspace.tape.take<T>(updates, width_);
  reads_ = workspace.tape.take<T>(updates, 2, width_);
  dc_ = scratch.take<T>(values, width_);
  du_ = scratch.take<T>(entries, width_);
  dprojected_ = scratch.take<T>(values, 4, width_);
  dold_ = scratch.take<T>(of_wave, width_);
  dreads_ = scratch.take<T>(of_wave, 2, width_);
  norm_.carve(workspace, entries);
  slow_.carve(workspace, entries);
  self_scale_.carve(workspace, largest.batch);
  token_scale_.carve(workspace, largest.batch);
  update_.carve(workspace, updates, of_wave);
}

template <std::floating_point T>
void RecurrentStates<T>::initial_state(Matrix<T> carried) const {
  for (Index b = 0; b < carried.rows; ++b) {
    *carried.row(b) = T(0);
    std::copy_n(initial_->value, initial_->count(), carried.row(b) + 1);
  }
}

// The plan of the pass, and the values with which its sequences begin.
template <std::floating_point T>
void RecurrentStates<T>::begin(Extent extent, const Pass<T>& pass, Matrix<const T> carried,
                               Begin how) {
  extent_ = extent;
  const bool opens = how.start == BlockPlan::Start::opens_block;
  for (Index b = 0; b < extent.batch; ++b) {
    const bool fresh = carried.data == nullptr;
    const bool anew = fresh || pass.start(extent, b, 0);
    counts_[b] = fresh || (anew && opens) ? 0 : static_cast<Index>(*carried.row(b));
    learned_[b] = anew || how.clear ? 1 : 0;
    Index start = fresh ? 0 : -2 * window_;
    for (Index t = 0; t < extent.steps; ++t) {
      if (pass.start(extent, b, t)) start = t;
      starts_[b * extent.steps + t] = start;
    }
  }
  plan_.make(extent, starts_, counts_, how.start);
  for (Index entry = 0; entry < plan_.entries(); ++entry) {
    const T* const from = is_learned(entry) ? initial_->value : carried.row(entry) + 1;
    std::copy_n(from, initial_->count(), rows(c_, entry, 1).data);
  }
  project(0, plan_.entries());
}

template <std::floating_point T>
void RecurrentStates<T>::update(const WindowAttention<T>& attention) {
  for (Index wave = 0; wave < plan_.waves(); ++wave) {
    update_wave(wave, attention);
    if (plan_.is_read(wave)) project(first_value(wave), plan_.updates(wave));
  }
}

template <std::floating_point T>
void RecurrentStates<T>::end(Matrix<T> carried) const {
  if (carried.data == nullptr) return;
  for (Index b = 0; b < extent_.batch; ++b) {
    *carried.row(b) = static_cast<T>(plan_.count(b));
    std::copy_n(rows(c_, plan_.last(b), 1).data, initial_->count(), carried.row(b) + 1);
  }
}

template <std::floating_point T>
void RecurrentStates<T>::begin_backward(Matrix<const T> dcarried) {
  const Index size = plan_.values() * states_ * width_;
  for_buffer_blocks(size, [&](Index from, Index to) { std::fill(dc_ + from, dc_ + to, T(0)); });
  for_buffer_blocks(4 * size, [&](Index from, Index to) {
    std::fill(dprojected_ + from, dprojected_ + to, T(0));
  });
  // the value that goes on
  last_is_used_ = dcarried.data != nullptr;
  if (!last_is_used_) return;
  for (Index b = 0; b < extent_.batch; ++b) {
    std::copy_n(dcarried.row(b) + 1, initial_->count(), rows(dc_, plan_.last(b), 1).data);
  }
}

template <std::floating_point T>
void RecurrentStates<T>::update_backward(const WindowAttention<T>& attention) {
  for (Index wave = plan_.waves() - 1; wave >= 0; --wave) {
    const bool read = plan_.is_read(wave);
    if (read) project_backward(first_value(wave), plan_.updates(wave));
    if (read || last_is_used_) update_wave_backward(wave, attention);
  }
}

template <std::floating_point T>
void RecurrentStates<T>::end_backward(Matrix<T> dcarried) {
  project_backward(0, plan_.entries());
  // the value with which a document begins
  for (Index entry = 0; entry < plan_.entries(); ++entry) {
    if (!is_learned(entry)) continue;
    const T* const dc = rows(dc_, entry, 1).data;
    for (Index i = 0; i < initial_->count(); ++i) initial_->gradient[i] += dc[i];
  }
  // the value that came with the sequence
  if (dcarried.data == nullptr) return;
  for (Index b = 0; b < extent_.batch; ++b) {
    T* const to = dcarried.row(b);
    std::fill_n(to, 1 + initial_->count(), T(0));
    if (!is_learned(b)) std::copy_n(rows(dc_, b, 1).data, initial_->count(), to + 1);
  }
}

// u = RMS(C) + ID, Q | K | V | Q2 = u W, all but V of unit length
template <std::floating_point T>
void RecurrentStates<T>::project(Index first, Index count) {
  const Matrix<T> u = rows(u_, first, count);
  const Matrix<T> projected = rows(projected_, first, count, 4);
  T* const lengths = lengths_ + first * states_ * 3 * heads_;
  norm_.forward(rows(c_, first, count), u);
  for_row_blocks(u.rows, [&](const RowBlock& block) {
    for (Index row = block.first; row < block.first + block.count; ++row) {
      const T* const id = ids_->value + row % states_ * width_;
      for (Index i = 0; i < width_; ++i) u.row(row)[i] += id[i];
    }
  });
  slow_.forward(u, projected);
  for_row_blocks(u.rows, [&](const RowBlock& block) {
    T* const own = lengths + block.first * 3 * heads_;
    make_unit(block.of(projected).col_block(0, 2 * width_), d_, own);
    make_unit(block.of(projected).col_block(3 * width_, width_), d_,
              own + block.count * 2 * heads_);
  });
}

template <std::floating_point T>
void RecurrentStates<T>::project_backward(Index first, Index count) {
  const Matrix<const T> projected = rows(projected_, first, count, 4);
  const Matrix<T> dprojected = rows(dprojected_, first, count, 4);
  const Matrix<T> dc = rows(dc_, first, count);
  const Matrix<T> du = rows(du_, 0, count);
  const T* const lengths = lengths_ + first * states_ * 3 * heads_;
  // Q, K, Q2 of unit length
  for_row_blocks(du.rows, [&](const RowBlock& block) {
    const T* const own = lengths + block.first * 3 * heads_;
    make_unit_backward(block.of(projected).col_block(0, 2 * width_), d_, own,
                       block.of(dprojected).col_block(0, 2 * width_));
    make_unit_backward(block.of(projected).col_block(3 * width_, width_), d_,
                       own + block.count * 2 * heads_,
                       block.of(dprojected).col_block(3 * width_, width_));
  });
  // Q | K | V | Q2 = u W
  slow_.backward(rows(u_, first, count), dprojected, du);
  // u = RMS(C) + ID
  parallel_for(states_, [&](Index state, int) {
    T* const did = ids_->gradient + state * width_;
    for (Index row = state; row < du.rows; row += states_) {
      for (Index i = 0; i < width_; ++i) did[i] += du.row(row)[i];
    }
  });
  norm_.backward(rows(c_, first, count), du, dc.data, dc);
}

// z1, z2 and C' of one wave
template <std::floating_point T>
void RecurrentStates<T>::update_wave(Index wave, const WindowAttention<T>& attention) {
  const Index first = plan_.first_update(wave);
  const Index count = plan_.updates(wave);
  parallel_for(count * heads_, [&](Index item, int thread) {
    const Index index = first + item / heads_;
    const Index head = item % heads_;
    const BlockPlan::Update& block = plan_.update(index);
    attention.kernel().forward(self_tile(block, head), read_part(reads_, index, 0, head), thread);
    attention.kernel().forward(token_tile(block, head, attention.keys()),
                               read_part(reads_, index, 1, head), thread);
  });
  for (Index index = first; index < first + count; ++index) {
    std::copy_n(rows(c_, plan_.update(index).source, 1).data, states_ * width_,
                rows(old_, index, 1).data);
  }
  update_.forward(first * states_, rows(old_, first, count), rows(reads_, first, count, 2),
                  rows(c_, first_value(wave), count));
}

template <std::floating_point T>
void RecurrentStates<T>::update_wave_backward(Index wave, const WindowAttention<T>& attention) {
  const Index first = plan_.first_update(wave);
  const Index count = plan_.updates(wave);
  // C' = update(C, [z1 | z2])
  update_.backward(first * states_, rows(old_, first, count), rows(reads_, first, count, 2),
                   rows(dc_, first_value(wave), count), rows(dold_, 0, count),
                   rows(dreads_, 0, count, 2));
  for (Index i = 0; i < count; ++i) {
    T* const dc = rows(dc_, plan_.update(first + i).source, 1).data;
    const T* const dold = rows(dold_, i, 1).data;
    for (Index j = 0; j < states_ * width_; ++j) dc[j] += dold[j];
  }
  self_scale_.begin_backward(count);
  token_scale_.begin_backward(count);
  parallel_for(count * heads_, [&](Index item, int thread) {
    const Index i = item / heads_;
    const Index head = item % heads_;
    const Index col = head * d_;
    const BlockPlan::Update& block = plan_.update(first + i);
    const WindowKeys<T>& tokens = attention.keys();
    const Index from = block.end - 2 * window_;
    // z2 = attention of Q2 to the tokens
    attention.kernel().backward(token_tile(block, head, tokens), read_part(dreads_, i, 1, head),
                                {part(dprojected_, block.source, 3, head),
                                 tokens.dkeys(block.sequence, col, d_, from, 2 * window_),
                                 tokens.dvalues(block.sequence, col, d_, from, 2 * window_),
                                 token_scale_.gradient(i, head)},
                                thread);
    // z1 = attention of Q to all K, V
    attention.kernel().backward(
        self_tile(block, head), read_part(dreads_, i, 0, head),
        {part(dprojected_, block.source, 0, head), dkeys(block.source, head),
         dvalues(block.source, head), self_scale_.gradient(i, head)},
        thread);
  });
  self_scale_.end_backward(count);
  token_scale_.end_backward(count);
}

template <std::floating_point T>
AttentionTile<T> RecurrentStates<T>::self_tile(const BlockPlan::Update& update, Index head) const {
  return {.q = part(projected_, update.source, 0, head),
          .k = keys(update.source, head),
          .v = values(update.source, head),
          .seen = states_,
          .slide = 0,
          .scale = self_scale_(head)};
}

template <std::floating_point T>
AttentionTile<T> RecurrentStates<T>::token_tile(const BlockPlan::Update& update, Index head,
                                                const WindowKeys<T>& keys) const {
  const Index from = update.end - 2 * window_;
  return {.q = part(projected_, update.source, 3, head),
          .k = keys.keys(update.sequence, head * d_, d_, from, 2 * window_),
          .v = keys.values(update.sequence, head * d_, d_, from, 2 * window_),
          .seen = 2 * window_,
          .slide = 0,
          .scale = token_scale_(head),
          .nulls = &update.nulls};
}

template class RecurrentStates<float>;
template class RecurrentStates<double>;

}  // namespace rlt
