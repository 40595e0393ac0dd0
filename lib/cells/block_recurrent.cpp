// block_recurrent: the Block-Recurrent Transformer: in one layer S state vectors read the tokens and are read by them,
// once for each block of W tokens.
// Hutchins et al. 2022 (arXiv 2203.07852), as in its official code. The other layers are sliding_window.
//
// x (B,T,D) -> y (B,T,D), states C (S,D), per head of size d = D / H; x is the normed input of the layer:
//   q | k | v | q2 = x W_slow                          q, k, q2 <- unit(.)       unit(u) = u / sqrt(sum u^2 + 1e-6)
//   Q | K | V | Q2 = u W_state,  u = RMS(C) + ID       Q, K, Q2 <- unit(.)       of the value C at the block's begin
//   y1_t = window attention of q_t to k, v             window_attention.hpp
//   y2_t = attention of q2_t to all K, V               y = [y1 | y2] W_out
//   z1   = attention of Q to all K, V
//   z2   = attention of Q2 to the k, v of the block and of the one before: 2 W tokens, no mask
//   C'   = update(C, [z1 | z2])                        at the end of the block; state_update.hpp, state_gate.hpp
// Each of the four attentions has scales |alpha| of its own; only y1 has a bias by distance. Tokens read C from before
// the update that their own block makes: nothing later is seen.
// Backward: y1, z1, z2, y2 by scaled_attention.hpp. k, v get gradients from y1 and from the two updates that read
// them; K, V from y2 and z1 of their block. Updates are undone from the last to the first.
// ID normal, C at the start of a document normal with deviation 0.1 and trained; matrices LeCun normal, alpha 1.
//
// Between segments C and the last 2 W keys and values are carried, as constants. Blocks are counted from the start of
// a document, over the borders of segments: an unfinished block goes on in the next segment, so that step by step
// equals the whole. If segments are one block each, no update gets a gradient. clear_state = on: every segment begins
// with the initial C; the keys and values go on.
//
// feedback = on: all layers read the states of the recurrent one in the same way, each with a q2 and a scale of its own;
// those below it too, so that a stack of such layers runs block by block: model/feedback_stack.hpp. There the blocks of
// all sequences end together: a document that starts inside one has the initial C from its start on, and its first update
// at the end of that block.
//
// departs: the official code has documents start and end, and blocks begin, where segments do. Ours may start
//   anywhere: a start opens a block, with the initial C, drops the unfinished one and puts null keys in the place of
//   what came before. H d = D here. The MLP of dual and single has 4 D hidden numbers, whatever --ff. No dropout inside.
// Memory: state 1 + S D + 4 W D; tape per step 8 D + 3 H + 3, per sequence 4 W D, per block S (11 D + 3 H) with fixed
//   and skip. One step at a time projects the states anew each time.
#include <algorithm>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/parallel.hpp"
#include "cells/registry.hpp"
#include "mixing/recurrent_states.hpp"
#include "mixing/unit_rows.hpp"
#include "mixing/window_cell.hpp"

namespace rlt {
namespace {

template <typename T>
class BlockRecurrent : public Cell<T> {
 public:
  explicit BlockRecurrent(const CellConfig& config)
      : width_(config.d_model),
        heads_(config.heads),
        d_(config.head_size()),
        window_(config.count("window")),
        count_(config.count("states")),
        attention_(config, 2 * window_),
        read_scale_(heads_),
        clears_(config.text("clear_state") == "on"),
        gives_back_(config.text("feedback") == "on") {
    if (config.count("recurrent_layer") > 0) own_.emplace(config);
  }

  void declare(ParameterSet<T>& parameters, std::string_view prefix) override {
    const std::string name(prefix);
    const Init matrix = init::lecun_normal();
    slow_.declare(parameters, name + ".slow", width_, 4 * width_, Bias::none, matrix);
    attention_.declare(parameters, name);
    read_scale_.declare(parameters, name + ".read_scale");
    out_.declare(parameters, name + ".out", 2 * width_, width_, Bias::none, matrix);
    if (own_) own_->declare(parameters, name + ".state");
  }

  void carve(Workspace& workspace, Extent largest) override {
    const Index rows = largest.rows();
    if (own_ && gives_back_) own_->carve(workspace, largest, true);
    projected_ = workspace.tape.take<T>(rows, 4, width_);
    lengths_ = workspace.tape.take<T>(rows, heads_);
    reads_ = workspace.tape.take<T>(rows, 2, width_);
    const ScratchScope scope(workspace);
    dprojected_ = workspace.scratch.take<T>(rows, 4, width_);
    dreads_ = workspace.scratch.take<T>(rows, 2, width_);
    slow_.carve(workspace, rows);
    out_.carve(workspace, rows);
    attention_.carve(workspace, largest, std::max(count_, 2 * window_));
    read_scale_.carve(workspace, largest.batch);
    if (own_ && !gives_back_) own_->carve(workspace, largest);
  }

  StateLayout state_layout(Index /*context*/) const override {
    StateLayout layout;
    if (own_) layout.pieces = own_->pieces();
    for (const StatePiece& piece : attention_.keys().pieces()) layout.pieces.push_back(piece);
    return layout;
  }
  void initial_state(Matrix<T> state) const override {
    for (Index b = 0; b < state.rows; ++b) std::fill_n(state.row(b), state.cols, T(0));
    if (own_) own_->initial_state(carried_states(state));
  }
  RecurrentStates<T>* states() override { return own_ ? &*own_ : nullptr; }

  void forward(Sequence<const T> x, const Pass<T>& pass, Sequence<T> y) override {
    const Extent extent = x.extent;
    const Matrix<T> projected = rows(extent, projected_, 4);
    // q | k | v | q2 = x W_slow, y1 = window attention
    slow_.forward(x.rows, projected);
    attention_.forward(extent, pass, carried_keys(pass.state), projected,
                       rows(extent, reads_, 2).col_block(0, width_));
    for_row_blocks(extent.rows(), [&](const RowBlock& block) {
      make_unit(block.of(projected).col_block(3 * width_, width_), d_,
                lengths_ + block.first * heads_);
    });
    // C of every block, then y2 = attention of q2 to all K, V
    begin_states(extent, pass);
    if (own_) own_->update(attention_);
    if (is_alone()) own_->end(carried_states(pass.state));
    for_each_read(extent, [&](const AttentionTile<T>& tile, const Read& read, int thread) {
      attention_.kernel().forward(tile, part(extent, reads_, 2, 1, read), thread);
    });
    out_.forward(rows(extent, reads_, 2), y.rows);
  }

  void backward(Sequence<const T> x, Sequence<const T> dy, Sequence<T> dx) override {
    const Extent extent = x.extent;
    const Matrix<const T> projected = rows(extent, projected_, 4);
    const Matrix<T> dprojected = rows(extent, dprojected_, 4);
    const Matrix<T> dreads = rows(extent, dreads_, 2);
    // y = [y1 | y2] W_out
    out_.backward(rows(extent, reads_, 2), dy.rows, dreads);
    // y2 = attention of q2 to all K, V
    if (is_alone()) own_->begin_backward({});
    read_scale_.begin_backward(extent.batch);
    for_each_read(extent, [&](const AttentionTile<T>& tile, const Read& read, int thread) {
      const Matrix<T> dq = part(extent, dprojected_, 4, 3, read);
      for (Index row = 0; row < dq.rows; ++row) std::fill_n(dq.row(row), d_, T(0));
      attention_.kernel().backward(
          tile, part(extent, dreads_, 2, 1, read),
          {dq, states_->dkeys(read.value, read.head), states_->dvalues(read.value, read.head),
           read_scale_.gradient(read.b, read.head)},
          thread);
    });
    read_scale_.end_backward(extent.batch);
    // y1 = window attention
    attention_.backward(extent, projected, dreads.col_block(0, width_), dprojected,
                        carried_keys(dstate_));
    // C of every block
    if (own_) own_->update_backward(attention_);
    if (is_alone()) own_->end_backward({});
    // q, k, q2 of unit length
    attention_.end_backward(projected, dprojected, carried_keys(dstate_));
    for_row_blocks(extent.rows(), [&](const RowBlock& block) {
      make_unit_backward(block.of(projected).col_block(3 * width_, width_), d_,
                         static_cast<const T*>(lengths_) + block.first * heads_,
                         block.of(dprojected).col_block(3 * width_, width_));
    });
    // q | k | v | q2 = x W_slow
    slow_.backward(x.rows, dprojected, dx.rows);
  }

 private:
  /// Steps t .. t + count - 1 of sequence b, one head of which reads one value of the states.
  struct Read {
    Index b, head, t, count, value;
  };

  /// Not in a stack that makes the states ready.
  bool is_alone() const { return own_ && !is_led_; }

  void begin_states(Extent extent, const Pass<T>& pass) {
    is_led_ = pass.states != nullptr;
    states_ = is_led_ ? pass.states : &*own_;
    dstate_ = pass.dstate;
    if (is_led_) return;
    own_->begin(extent, pass, carried_states(pass.state), {BlockPlan::Start::opens_block, clears_});
  }

  // What is carried: [unfinished, C | keys, values], of a layer that only reads states [keys, values]
  Matrix<T> carried_states(Matrix<T> state) const {
    return state.data == nullptr ? state : state.col_block(0, own_->carried_size());
  }
  Matrix<T> carried_keys(Matrix<T> state) const {
    const Index before = own_ ? own_->carried_size() : 0;
    return state.data == nullptr ? state : state.col_block(before, state.cols - before);
  }
  Matrix<T> rows(Extent extent, T* data, Index vectors) const {
    return {data, extent.rows(), vectors * width_};
  }
  /// One head's columns of a vector, of a read's steps.
  Matrix<T> part(Extent extent, T* data, Index vectors, Index vector, const Read& read) const {
    return rows(extent, data, vectors)
        .row_block(read.b * extent.steps + read.t, read.count)
        .col_block(vector * width_ + read.head * d_, d_);
  }

  // body(tile, read, thread), for each sequence and head in parallel
  template <typename Body>
  void for_each_read(Extent extent, const Body& body) const {
    parallel_for(extent.batch * heads_, [&](Index index, int thread) {
      const Index b = index / heads_;
      const Index head = index % heads_;
      states_->for_each_run(extent, b, [&](Index t, Index count, Index value) {
        const Read read{b, head, t, count, value};
        body(AttentionTile<T>{.q = part(extent, projected_, 4, 3, read),
                              .k = states_->keys(value, head),
                              .v = states_->values(value, head),
                              .seen = count_,
                              .slide = 0,
                              .scale = read_scale_(head)},
             read, thread);
      });
    });
  }

  Index width_;
  Index heads_;
  Index d_;
  Index window_;
  Index count_;  // of the states
  Linear<T> slow_;
  WindowAttention<T> attention_;
  LearnedScale<T> read_scale_;
  Linear<T> out_;
  bool clears_;
  bool gives_back_;
  std::optional<RecurrentStates<T>> own_;
  // of the pass
  RecurrentStates<T>* states_ = nullptr;
  bool is_led_ = false;
  Matrix<T> dstate_;
  // tape
  T* projected_ = nullptr;  // (B T, 4 D) q | k | v | q2
  T* lengths_ = nullptr;    // (B T, H) 1 / length of q2
  T* reads_ = nullptr;      // (B T, 2 D) y1 | y2
  // scratch
  T* dprojected_ = nullptr;
  T* dreads_ = nullptr;
};

/// One recurrent layer among layers that are sliding_window or, with feedback, read its states as it does.
std::vector<LayerConfig> layers_of(const LayerConfig& layer, Index count) {
  LayerConfig recurrent = layer;
  recurrent.config = complete("block_recurrent", layer.config);
  const Index from_top = recurrent.config.count("recurrent_layer");
  if (from_top == 0) fail(Exit::usage, "--cell-option recurrent_layer=0: must be at least 1");
  LayerConfig other = recurrent;
  if (recurrent.config.text("feedback") == "on") {
    other.config.options["recurrent_layer"] = "0";
  } else {
    other.cell = "sliding_window";
    other.config.options = {{"window", recurrent.config.text("window")}};
  }
  std::vector<LayerConfig> layers(static_cast<std::size_t>(count), other);
  layers[static_cast<std::size_t>(std::max<Index>(0, count - from_top))] = recurrent;
  return layers;
}

}  // namespace

CellEntry cells::block_recurrent() {
  return cell_entry<BlockRecurrent>({
      .name = "block_recurrent",
      .summary = "window attention whose tokens also read S states, which read them block by block",
      .source = "Hutchins et al. 2022, arXiv 2203.07852",
      .equation =
          "y = W_o [window(q, k, v) | attend(q2, K, V)]; K, V of RMS(C) + ID; after W steps "
          "C' = gate(C, W_p [attend(Q, K, V) | attend(Q2, k, v)])",
      .block = "prenorm_bare",
      .norm = NormForm::rms,
      .default_layers = 4,
      .positions = {Positions::none},
      .options = {window_option(),
                  {.name = "states",
                   .value = "64",
                   .help = "state vectors S",
                   .choices = {},
                   .low = 1,
                   .high = 512,
                   .whole = true},
                  {.name = "gate",
                   .value = "fixed",
                   .help = "how the new value of a state takes the place of the old one",
                   .choices = {"fixed", "lstm", "full"}},
                  {.name = "configuration",
                   .value = "skip",
                   .help = "what is made of the states' reads before the gate: a projection; then "
                           "an MLP with a gate of its own; an MLP alone",
                   .choices = {"skip", "dual", "single"}},
                  {.name = "recurrent_layer",
                   .value = "3",
                   .help = "which layer has the states, counted from the top; the lowest where "
                           "there are fewer",
                   .choices = {},
                   .low = 0,
                   .high = 1000,
                   .whole = true},
                  {.name = "clear_state",
                   .value = "off",
                   .help = "on: every segment begins with the initial states",
                   .choices = {"off", "on"}},
                  {.name = "feedback",
                   .value = "off",
                   .help = "on: all layers read the states, the layers below too; all layers then "
                           "run block by block",
                   .choices = {"off", "on"}}},
      .expand = layers_of,
  });
}

}  // namespace rlt
