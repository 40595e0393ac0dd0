// lstm: the long short-term memory with four gates, in torch's form.
// Hochreiter, Schmidhuber 1997 (Neural Computation 9(8)); with the forget gate of Gers et al. 2000; as the
// baseline of arXiv 2310.16076 and 2106.06295.
//
// x_t (m), h_t, c_t (D); W (m, 4D), U (D, 4D), b and b' (4D): columns of i, then of f, g, o.
//   a_t = x_t W + b + h_{t-1} U + b'                                    h_0 = c_0 = 0
//   i = sigmoid(a^i)   f = sigmoid(a^f + forget_bias)   g = tanh(a^g)   o = sigmoid(a^o)
//   c_t = f c_{t-1} + i g            (element-wise products)
//   y_t = h_t = o tanh(c_t)
// Backward, dh and dc carried from step t + 1, for t = T..1:
//   q = dy_t + dh        dc += q o (1 - tanh(c_t)^2)
//   da^i = dc g i (1 - i)          da^f = dc c_{t-1} f (1 - f)
//   da^g = dc i (1 - g^2)          da^o = q tanh(c_t) o (1 - o)
//   dh = da U^T          dc *= f
//   dx = da W^T   dW = sum x_t da_t^T   dU = sum h_{t-1} da_t^T   db = db' = sum da_t
// departs: in a model of tokens the input is as wide as the state (the official default is an embedding of 128 for
//   any state). The code of arXiv 2106.06295 also drops embeddings; here, as in that of 2310.16076, only the output
//   is dropped. The baseline of AGaLiTe (arXiv 2310.15719, init=orthogonal) has one bias vector.
//   forget_bias (option): Haiku, and with it the Chomsky baseline, adds 1; torch adds 0.
// Two bias vectors, as torch: Adam moves their sum twice as fast as it would move one vector.
// Memory: state 2 D, h then c; tape 7 D per step, and 4 D of scratch.
#include <algorithm>
#include <string>

#include "cells/registry.hpp"
#include "mixing/batch_slices.hpp"
#include "mixing/recurrent_start.hpp"
#include "tensor/activation.hpp"

namespace rlt {
namespace {

template <typename T>
class Lstm : public Cell<T> {
 public:
  explicit Lstm(const CellConfig& config)
      : width_(config.d_model),
        inputs_(config.input_width()),
        forget_bias_(static_cast<T>(config.number("forget_bias"))),
        start_(config) {}

  void declare(ParameterSet<T>& parameters, std::string_view prefix) override {
    const std::string name(prefix);
    const auto add = [&](const char* what, std::vector<Index> shape, const Init& init) {
      return &parameters.add(name + what, std::move(shape), init);
    };
    Parameter<T>* const input = add(".input", {inputs_, 4 * width_}, start_.matrices(4));
    Parameter<T>* const recurrent = add(".recurrent", {width_, 4 * width_}, start_.matrices(4));
    input_.attach(*input, 0, inputs_, add(".bias_input", {4 * width_}, start_.biases()));
    recurrent_.attach(*recurrent, 0, width_, add(".bias_recurrent", {4 * width_}, start_.biases()));
  }

  void carve(Workspace& workspace, Extent largest) override {
    const Index rows = largest.rows();
    gates_ = workspace.tape.take<T>(rows, 4, width_);
    previous_h_ = workspace.tape.take<T>(rows, width_);
    previous_c_ = workspace.tape.take<T>(rows, width_);
    tanh_c_ = workspace.tape.take<T>(rows, width_);
    const ScratchScope scope(workspace);
    dgates_ = workspace.scratch.take<T>(rows, 4, width_);
    state_ = workspace.scratch.take<T>(largest.batch, 2, width_);
    bias_ = workspace.scratch.take<T>(4, width_);
    input_.carve(workspace, rows);
    recurrent_.carve(workspace, rows);
  }

  StateLayout state_layout(Index /*context*/) const override {
    return {.pieces = {{"h", {width_}}, {"c", {width_}}}};
  }

  void initial_state(Matrix<T> state) const override { clear_rows(state); }

  void forward(Sequence<const T> x, const Pass<T>& pass, Sequence<T> y) override {
    pass_ = pass;
    const Extent extent = x.extent;
    for_row_blocks(extent.rows(), [&](const RowBlock& block) {
      input_.product_block(block.of(x.rows), block.of(gates(extent)));
    });
    for (Index j = 0; j < 4 * width_; ++j) {
      bias_[j] = input_.bias()[j] + recurrent_.bias()[j];
      if (j / width_ == 1) bias_[j] += forget_bias_;
    }
    for_batch_slices(extent.batch, width_, [&](Index first, Index count) {
      forward_slice(extent, first, count, y.rows);
    });
  }

  void backward(Sequence<const T> x, Sequence<const T> dy, Sequence<T> dx) override {
    const Extent extent = x.extent;
    const Matrix<const T> dgates(dgates_, extent.rows(), 4 * width_);
    input_.begin_backward();
    recurrent_.begin_backward();
    // step by step: h_t, c_t, the gates, and dh of a_t
    for_batch_slices(extent.batch, width_, [&](Index first, Index count) {
      backward_slice(extent, first, count, dy.rows);
    });
    // a_t = x_t W + b + h_{t-1} U + b'
    for_row_blocks(extent.rows(), [&](const RowBlock& block) {
      const Matrix<const T> above = block.of(dgates);
      input_.backward_parameters_block(block, block.of(x.rows), above);
      recurrent_.backward_parameters_block(
          block, block.of(Matrix<const T>(previous_h_, extent.rows(), width_)), above);
      input_.backward_input_block(above, block.of(dx.rows));
    });
    input_.end_backward(extent.rows());
    recurrent_.end_backward(extent.rows());
  }

 private:
  using V = Lanes<T>;

  Matrix<T> gates(Extent extent) const { return {gates_, extent.rows(), 4 * width_}; }

  // Sequences first .. first + count - 1; time inside.
  void forward_slice(Extent extent, Index first, Index count, Matrix<T> y) {
    const Matrix<T> state(state_ + first * 2 * width_, count, 2 * width_);
    const Matrix<const T> h = state.col_block(0, width_);
    const Matrix<T> carried = pass_.state.row_block(first, pass_.carries() ? count : 0);
    clear_rows(state);
    copy_rows<T>(carried, state);
    for (Index t = 0; t < extent.steps; ++t) {
      for (Index r = 0; r < count; ++r) {
        T* const from = state.row(r);
        if (pass_.start(extent, first + r, t)) std::fill_n(from, 2 * width_, T(0));
        std::copy_n(from, width_, previous_h_ + ((first + r) * extent.steps + t) * width_);
      }
      recurrent_.product_block(h, step_rows(gates_, 4 * width_, extent, first, count, t),
                               Write::add);
      for (Index r = 0; r < count; ++r) {
        forward_row((first + r) * extent.steps + t, state.row(r), y);
      }
    }
    copy_rows<T>(state, carried);
  }

  // One token: activates the gates of `row` in place and moves its state (h, c) on.
  void forward_row(Index row, T* state, Matrix<T> y) {
    T* const a = gates_ + row * 4 * width_;
    for (Index j = 0; j < width_; j += lane_count<T>) {
      const Index n = width_ - j;
      const auto preactivation = [&](Index gate) {
        const Index at = gate * width_ + j;
        return load_lanes(a + at, n) + load_lanes(bias_ + at, n);
      };
      const V i = sigmoid(preactivation(0));
      const V f = sigmoid(preactivation(1));
      const V g = xsimd::tanh(preactivation(2));
      const V o = sigmoid(preactivation(3));
      const V before = load_lanes(state + width_ + j, n);
      const V c = f * before + i * g;
      const V tanh_c = xsimd::tanh(c);
      const V h = o * tanh_c;
      store_lanes(a + j, i, n);
      store_lanes(a + width_ + j, f, n);
      store_lanes(a + 2 * width_ + j, g, n);
      store_lanes(a + 3 * width_ + j, o, n);
      store_lanes(previous_c_ + row * width_ + j, before, n);
      store_lanes(tanh_c_ + row * width_ + j, tanh_c, n);
      store_lanes(state + j, h, n);
      store_lanes(state + width_ + j, c, n);
      store_lanes(y.row(row) + j, h, n);
    }
  }

  void backward_slice(Extent extent, Index first, Index count, Matrix<const T> dy) {
    const Matrix<T> dstate(state_ + first * 2 * width_, count, 2 * width_);
    clear_rows(dstate);
    for (Index t = extent.steps - 1; t >= 0; --t) {
      for (Index r = 0; r < count; ++r) {
        backward_row((first + r) * extent.steps + t, dy, dstate.row(r));
      }
      if (t == 0) break;
      // h_{t-1} U
      recurrent_.backward_input_block(step_rows(dgates_, 4 * width_, extent, first, count, t),
                                      dstate.col_block(0, width_));
      // h_{t-1} = c_{t-1} = 0 after a start
      for (Index r = 0; r < count; ++r) {
        if (!pass_.start(extent, first + r, t)) continue;
        std::fill_n(dstate.row(r), 2 * width_, T(0));
      }
    }
  }

  // dstate: (dh, dc) from the step after; leaves dc for the step before.
  void backward_row(Index row, Matrix<const T> dy, T* dstate) {
    const T* const a = gates_ + row * 4 * width_;
    T* const da = dgates_ + row * 4 * width_;
    for (Index j = 0; j < width_; j += lane_count<T>) {
      const Index n = width_ - j;
      const V i = load_lanes(a + j, n);
      const V f = load_lanes(a + width_ + j, n);
      const V g = load_lanes(a + 2 * width_ + j, n);
      const V o = load_lanes(a + 3 * width_ + j, n);
      const V before = load_lanes(previous_c_ + row * width_ + j, n);
      const V tanh_c = load_lanes(tanh_c_ + row * width_ + j, n);
      // y_t = h_t = o tanh(c_t),  o = sigmoid(a^o)
      const V q = load_lanes(dy.row(row) + j, n) + load_lanes(dstate + j, n);
      const V dc = load_lanes(dstate + width_ + j, n) + q * o * (T(1) - tanh_c * tanh_c);
      store_lanes(da + 3 * width_ + j, q * tanh_c * o * (T(1) - o), n);
      // c_t = f c_{t-1} + i g,  g = tanh(a^g),  f = sigmoid(a^f + forget_bias),  i = sigmoid(a^i)
      store_lanes(da + 2 * width_ + j, dc * i * (T(1) - g * g), n);
      store_lanes(da + width_ + j, dc * before * f * (T(1) - f), n);
      store_lanes(da + j, dc * g * i * (T(1) - i), n);
      store_lanes(dstate + width_ + j, dc * f, n);
    }
  }

  Index width_;
  Index inputs_;
  T forget_bias_;
  RecurrentStart start_;
  Linear<T> input_;
  Linear<T> recurrent_;
  Pass<T> pass_;
  // tape
  T* gates_ = nullptr;       // (B,T,4D) i, f, g, o
  T* previous_h_ = nullptr;  // (B,T,D) h_{t-1}, after a reset
  T* previous_c_ = nullptr;  // (B,T,D) c_{t-1}, likewise
  T* tanh_c_ = nullptr;      // (B,T,D)
  // scratch
  T* dgates_ = nullptr;  // (B,T,4D)
  T* state_ = nullptr;   // (B,2D) h, c forward; dh, dc backward
  T* bias_ = nullptr;    // (4D) sum of both biases
};

}  // namespace

CellEntry cells::lstm() {
  return cell_entry<Lstm>({
      .name = "lstm",
      .summary = "long short-term memory: a gated cell that adds what it keeps",
      .source =
          "Hochreiter and Schmidhuber 1997; forget gate: Gers et al. 2000; form of torch.nn.LSTM",
      .equation =
          "c_t = f c_{t-1} + i g;  h_t = o tanh(c_t);  i, f, g, o from x_t W + h_{t-1} U + b + b'",
      .block = "plain",
      .uses_heads = false,
      .any_input_width = true,
      .real_input = RealInput::direct,
      .default_layers = 2,
      .options = {{.name = "forget_bias",
                   .value = "0",
                   .help = "added inside the forget gate's sigmoid; the Chomsky baseline has 1",
                   .choices = {},
                   .low = -10,
                   .high = 10},
                  recurrent_start_option("uniform")},
  });
}

}  // namespace rlt
