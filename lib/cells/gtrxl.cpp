// gtrxl: the attention of one layer of the Gated Transformer-XL: softmax attention over a memory of the layer's
// last M inputs and the present segment, with relative positions.
// Parisotto et al. 2020 (arXiv 1910.06764), after Dai et al. 2019 (arXiv 1901.02860), as coded for the comparison
// of Pramanik et al. 2023 (arXiv 2310.15719). Gates, feed-forward and the ReLU behind the cell are the block's.
//
// u (B,T,D) -> y (B,T,D), H heads of size d, which does not depend on D:
//   f     = [memory ; u]                    n = LN(f)           (epsilon 1e-6)
//   k | v = n W_kv + b_kv                   q = u W_q + b_q     (u as it is, without the norm)
//   o     = attention(q, k, v, R)           relative_attention.hpp, R: relative_positions.hpp
//   y     = o W_o + b_o                     memory <- the last M rows of f
// The biases of the scores, u and v in that file, start at 0 and are one parameter each of all layers.
// A start empties the memory and hides all that came before it.
// Backward: k | v = n W_kv + b_kv gives W_kv, b_kv and the norm gradients from the rows of the memory too; the rows
// themselves are constants.
// Matrices LeCun normal, biases 0. Those of k and R add the same to all scores of a query, so that softmax does not
// see them: their gradients are 0.
//
// window = segment, as published: a step of a segment sees the memory as it was before the segment and all steps of
//   the segment up to itself. One step at a time, as an agent acts, it sees M steps and itself. So the two are
//   different functions of the inputs as soon as there is more past than M.
// window = sliding: the last M steps and itself, however the steps are cut into segments.
//
// cache = on: the state holds keys and values of the memory, the cell R. A pass over several steps, or one with a
//   tape, computes all of them anew. A step that keeps nothing trusts them if a sequence of its batch has a past: so
//   whoever changes the parameters and then steps on with an old state calls `rebuild` in between, as a learner does
//   after its update and before the next rollout. Fresh states need nothing.
// cache = off, as published: every step computes them anew.
//
// departs: the paper normalises what q is made of too; the code does not. The code keeps a memory of the last
//   layer's output that nobody reads. `sliding` and `cache` are ours.
// Memory: state 1 + (M + 1)(D + 2 H d), without cache 1 + (M + 1) D; tape per step 2 D + 4 H d, per row of the
//   memory 2 D + 2 H d, per distance D + 2 H d.
#include <algorithm>
#include <string>
#include <utility>

#include "base/parallel.hpp"
#include "cells/registry.hpp"
#include "mixing/joined_rows.hpp"
#include "mixing/own_head_size.hpp"
#include "mixing/relative_attention.hpp"
#include "mixing/relative_positions.hpp"
#include "mixing/stream_memory.hpp"
#include "nn/layer_norm.hpp"
#include "nn/linear.hpp"

namespace rlt {
namespace {

template <typename T>
class Gtrxl : public Cell<T> {
 public:
  explicit Gtrxl(const CellConfig& config)
      : width_(config.d_model),
        heads_(config.heads),
        d_(head_size_of(config)),
        inner_(heads_ * d_),
        sizes_{config.count("memory") + 1, width_, config.text("cache") == "on" ? inner_ : 0},
        full_(sizes_, {.length = config.text("window") == "sliding" ? sizes_.slots
                                                                    : Visibility::everything}),
        positions_(width_, inner_),
        attention_(d_) {}

  void declare(ParameterSet<T>& parameters, std::string_view prefix) override {
    const std::string name(prefix);
    norm_.declare(parameters, name + ".norm", width_, 1e-6);
    query_.declare(parameters, name + ".query", width_, inner_, Bias::zero, init::lecun_normal());
    key_value_.declare(parameters, name + ".key_value", width_, 2 * inner_, Bias::zero,
                       init::lecun_normal());
    positions_.declare(parameters, name + ".position");
    out_.declare(parameters, name + ".out", inner_, width_, Bias::zero, init::lecun_normal());
    u_ = &parameters.share("gtrxl.u", {heads_, d_}, init::constant(0));
    v_ = &parameters.share("gtrxl.v", {heads_, d_}, init::constant(0));
  }

  void carve(Workspace& workspace, Extent largest) override {
    const Index steps = largest.rows();
    const Index rows = full_.most_rows(largest);
    const Index distances = full_.most_distances(largest);
    full_.carve(workspace, largest);
    normal_ = workspace.tape.take<T>(rows, width_);
    keys_values_ = workspace.tape.take<T>(rows, 2, inner_);
    queries_ = workspace.tape.take<T>(steps, inner_);
    mixed_ = workspace.tape.take<T>(steps, inner_);
    const ScratchScope scope(workspace);
    dmixed_ = workspace.scratch.take<T>(steps, inner_);
    dqueries_ = workspace.scratch.take<T>(steps, inner_);
    dkeys_values_ = workspace.scratch.take<T>(rows, 2, inner_);
    dfull_ = workspace.scratch.take<T>(rows, width_);
    partial_ = workspace.scratch.take<T>(group_count(largest), distances + 2, inner_);
    norm_.carve(workspace, rows);
    query_.carve(workspace, steps);
    key_value_.carve(workspace, rows);
    out_.carve(workspace, steps);
    positions_.carve(workspace, distances);
    attention_.carve(workspace, full_.most_keys(largest));
  }

  StateLayout state_layout(Index /*context*/) const override { return sizes_.layout(); }
  void initial_state(Matrix<T> state) const override {
    for (Index b = 0; b < state.rows; ++b) std::fill_n(state.row(b), state.cols, T(0));
  }

  /// Not between a forward and its backward: it uses the tape.
  void rebuild(Matrix<T> state) override {
    const StreamMemory<T> memory(sizes_, state);
    if (!memory.caches()) return;
    positions_.project(sizes_.slots);
    for (Index b = 0; b < state.rows; ++b) {
      const Index count = memory.count(b);
      if (count == 0) continue;
      project_keys(memory.rows(b).row_block(0, count));
      for (Index slot = 0; slot < count; ++slot) {
        memory.cache(b, slot, keys_values_ + slot * 2 * inner_);
      }
    }
  }

  void forward(Sequence<const T> x, const Pass<T>& pass, Sequence<T> y) override {
    const StreamMemory<T> memory(sizes_, pass.state);
    query_.forward(x.rows, queries(x.extent));
    if (x.extent.steps == 1 && pass.keep == Pass<T>::Keep::nothing && memory.caches()) {
      attend_step(x, pass, memory);
    } else {
      attend(x, pass, memory);
    }
    out_.forward(mixed(x.extent), y.rows);
  }

  void backward(Sequence<const T> x, Sequence<const T> dy, Sequence<T> dx) override {
    const Extent extent = x.extent;
    const Matrix<const T> full = full_.rows();
    const Index rows = full.rows;
    const Matrix<T> dqueries(dqueries_, extent.rows(), inner_);
    const Matrix<T> dfull(dfull_, rows, width_);
    // y = o W_o + b_o
    out_.backward(mixed(extent), dy.rows, {dmixed_, extent.rows(), inner_});
    // o = attention(q, k, v, R)
    attend_backward(extent);
    // k | v = n W_kv + b_kv
    key_value_.backward({normal_, rows, width_}, {dkeys_values_, rows, 2 * inner_}, dfull);
    // n = LN(f)
    norm_.backward(full, dfull, nullptr, dfull);
    // q = u W_q + b_q
    query_.backward(x.rows, dqueries, dx.rows);
    // f = [memory ; u]
    for (Index b = 0; b < extent.batch; ++b) {
      const T* const own = dfull.row(full_.own_row(b));
      T* const to = dx.rows.row(b * extent.steps);
      for (Index i = 0; i < extent.steps * width_; ++i) to[i] += own[i];
    }
  }

 private:
  Matrix<T> queries(Extent extent) const { return {queries_, extent.rows(), inner_}; }
  Matrix<T> mixed(Extent extent) const { return {mixed_, extent.rows(), inner_}; }
  /// The rows of one sequence and columns of one head of a matrix (B T, H d).
  Matrix<T> part(Matrix<T> rows, Extent extent, Index b, Index head) const {
    return rows.row_block(b * extent.steps, extent.steps).col_block(head * d_, d_);
  }
  /// The same of keys | values (rows of f, 2 H d): those of the keys; the values lie H d columns behind.
  Matrix<T> key_part(T* keys_values, Extent extent, Index b, Index head) const {
    return {keys_values + full_.first_row(b) * 2 * inner_ + head * d_, full_.past(b) + extent.steps,
            d_, 2 * inner_};
  }
  Matrix<T> value_part(T* keys_values, Extent extent, Index b, Index head) const {
    return key_part(keys_values + inner_, extent, b, head);
  }
  HeadPositions<T> positions_of(Index head, Index distances) const {
    return {positions_.rows(distances).col_block(head * d_, d_),
            positions_.columns(distances).row_block(head * d_, d_), u_->value + head * d_,
            v_->value + head * d_};
  }
  RelativeHead<T> head_at(Extent extent, Index b, Index head) const {
    return {part(queries(extent), extent, b, head), key_part(keys_values_, extent, b, head),
            value_part(keys_values_, extent, b, head), full_.seen_from(extent, b),
            positions_of(head, full_.distances())};
  }

  // n = LN(f), k | v = n W_kv + b_kv
  void project_keys(Matrix<const T> full) {
    const Matrix<T> normal(normal_, full.rows, width_);
    norm_.forward(full, normal);
    key_value_.forward(normal, {keys_values_, full.rows, 2 * inner_});
  }

  void attend(Sequence<const T> x, const Pass<T>& pass, const StreamMemory<T>& memory) {
    const Extent extent = x.extent;
    full_.join(x, pass, memory);
    project_keys(full_.rows());
    positions_.project(full_.distances());
    parallel_for(extent.batch * heads_, [&](Index index, int thread) {
      const Index b = index / heads_;
      const Index head = index % heads_;
      attention_.forward(head_at(extent, b, head), part(mixed(extent), extent, b, head), thread);
    });
    full_.remember(extent, pass, memory, keys_values_);
  }

  // One step with the keys and values of the state.
  void attend_step(Sequence<const T> x, const Pass<T>& pass, const StreamMemory<T>& memory) {
    bool behind_past = false;
    for (Index b = 0; b < x.extent.batch; ++b) {
      if (pass.start(x.extent, b, 0)) memory.clear(b);
      behind_past = behind_past || memory.count(b) > 0;
    }
    if (!behind_past || positions_.projected() < sizes_.slots) positions_.project(sizes_.slots);
    project_keys(x.rows);
    for (Index b = 0; b < x.extent.batch; ++b) {
      memory.append(b, x.rows.row(b), keys_values_ + b * 2 * inner_);
    }
    parallel_for(x.extent.batch * heads_, [&](Index index, int thread) {
      const Index b = index / heads_;
      const Index col = index % heads_ * d_;
      const Index count = memory.count(b);
      attention_.step(queries(x.extent).row(b) + col,
                      memory.key_columns(b).row_block(col, d_).col_block(0, count),
                      memory.values(b).row_block(0, count).col_block(col, d_), memory.slot(b, 0),
                      positions_of(index % heads_, count), mixed(x.extent).row(b) + col, thread);
    });
  }

  // Positions and their biases get gradients from all sequences: summed within each group of them, then over the
  // groups in order.
  static Index group_count(Extent extent) { return std::min<Index>(extent.batch, 8); }

  void attend_backward(Extent extent) {
    const Index groups = group_count(extent);
    const Index distances = full_.distances();
    const Index size = (distances + 2) * inner_;  // dR | du | dv
    parallel_for(groups * heads_, [&](Index index, int thread) {
      const Index group = index / heads_;
      const Index head = index % heads_;
      const Matrix<T> sums =
          Matrix<T>(partial_ + group * size, distances + 2, inner_).col_block(head * d_, d_);
      for (Index row = 0; row < sums.rows; ++row) std::fill_n(sums.row(row), d_, T(0));
      for (Index b = group * extent.batch / groups; b < (group + 1) * extent.batch / groups; ++b) {
        attention_.backward(
            head_at(extent, b, head), part({dmixed_, extent.rows(), inner_}, extent, b, head),
            {part({dqueries_, extent.rows(), inner_}, extent, b, head),
             key_part(dkeys_values_, extent, b, head), value_part(dkeys_values_, extent, b, head),
             sums.row_block(0, distances), sums.row(distances), sums.row(distances + 1)},
            thread);
      }
    });
    parallel_for(distances + 2, [&](Index row, int) {
      T* const sum = partial_ + row * inner_;
      for (Index group = 1; group < groups; ++group) {
        for (Index c = 0; c < inner_; ++c) sum[c] += sum[group * size + c];
      }
    });
    const T* const du = partial_ + distances * inner_;
    for (Index c = 0; c < inner_; ++c) u_->gradient[c] += du[c];
    for (Index c = 0; c < inner_; ++c) v_->gradient[c] += du[inner_ + c];
    positions_.backward({partial_, distances, inner_});
  }

  Index width_;
  Index heads_;
  Index d_;
  Index inner_;  // H d
  typename StreamMemory<T>::Sizes sizes_;
  JoinedRows<T> full_;  // f
  LayerNorm<T> norm_;
  Linear<T> query_;
  Linear<T> key_value_;
  Linear<T> out_;
  RelativePositions<T> positions_;
  RelativeAttention<T> attention_;
  Parameter<T>* u_ = nullptr;
  Parameter<T>* v_ = nullptr;
  // tape; rows: those of f
  T* normal_ = nullptr;       // (rows, D) n
  T* keys_values_ = nullptr;  // (rows, 2 H d)
  T* queries_ = nullptr;      // (B T, H d)
  T* mixed_ = nullptr;        // (B T, H d) o
  // scratch
  T* dmixed_ = nullptr;
  T* dqueries_ = nullptr;
  T* dkeys_values_ = nullptr;
  T* dfull_ = nullptr;
  T* partial_ = nullptr;  // (groups, distances + 2, H d)
};

}  // namespace

CellEntry cells::gtrxl() {
  return cell_entry<Gtrxl>({
      .name = "gtrxl",
      .summary = "Gated Transformer-XL: attention over a memory of past inputs, relative positions",
      .source =
          "Parisotto et al. 2020, arXiv 1910.06764; as in Pramanik et al. 2023, arXiv 2310.15719",
      .equation =
          "y_t = W_o sum_j softmax_j(((q_t + u) . k_j + (q_t + v) . R_{t-j}) / sqrt(d)) v_j",
      .block = "gated_stream",
      .real_input = RealInput::relu,
      .input_matrix = init::lecun_normal(),
      .default_layers = 4,
      .positions = {Positions::none},
      .options = {{.name = "memory",
                   .value = "128",
                   .help = "past inputs that a step sees",
                   .choices = {},
                   .low = 1,
                   .high = 2048,
                   .whole = true},
                  head_size_option(),
                  {.name = "window",
                   .value = "segment",
                   .help =
                       "what a step of a segment sees: the memory and the segment so far, or the "
                       "last `memory` steps",
                   .choices = {"segment", "sliding"}},
                  {.name = "cache",
                   .value = "on",
                   .help =
                       "keep keys, values and positions from step to step, or compute them anew",
                   .choices = {"on", "off"}}},
  });
}

}  // namespace rlt
