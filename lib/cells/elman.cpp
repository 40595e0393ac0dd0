// elman: the simple recurrent network: the state is a squashed mix of the input and the last state.
// Elman 1990 (Finding Structure in Time); as the RNN of arXiv 2207.02098 with activation=relu.
//
// x_t (m), h_t (D); W (m, D), U (D, D), b (D).
//   h_t = phi(x_t W + h_{t-1} U + b),  phi = tanh or relu           y_t = h_t      h_0 = 0
// Backward, dh carried from step t + 1, for t = T..1:
//   da = (dy_t + dh) phi'        phi' = 1 - h_t^2, or 1 where h_t > 0
//   dh = da U^T     dx = da W^T     dW = sum x_t da_t^T     dU = sum h_{t-1} da_t^T     db = sum da_t
// departs: one bias vector, where Haiku (arXiv 2207.02098) and the code of AGaLiTe (arXiv 2310.15719) have one
//   behind each matrix. Haiku's initialisation is not among the choices of init. In arXiv 2207.02098 one more
//   relu stands before the head.
// With tanh |h_t| <= 1: the cell cannot count without bound. With relu it may, and may also grow without bound.
// Memory: state D; tape 2 D per step, and D of scratch.
#include <algorithm>
#include <string>

#include "cells/registry.hpp"
#include "mixing/batch_slices.hpp"
#include "mixing/recurrent_start.hpp"
#include "tensor/activation.hpp"

namespace rlt {
namespace {

template <typename T>
class Elman : public Cell<T> {
 public:
  explicit Elman(const CellConfig& config)
      : width_(config.d_model),
        inputs_(config.input_width()),
        relu_(config.text("activation") == "relu"),
        start_(config) {}

  void declare(ParameterSet<T>& parameters, std::string_view prefix) override {
    const std::string name(prefix);
    Parameter<T>& input = parameters.add(name + ".input", {inputs_, width_}, start_.matrices(1));
    Parameter<T>& recurrent =
        parameters.add(name + ".recurrent", {width_, width_}, start_.matrices(1));
    input_.attach(input, 0, inputs_, &parameters.add(name + ".bias", {width_}, start_.biases()));
    recurrent_.attach(recurrent, 0, width_);
  }

  void carve(Workspace& workspace, Extent largest) override {
    const Index rows = largest.rows();
    h_ = workspace.tape.take<T>(rows, width_);
    previous_h_ = workspace.tape.take<T>(rows, width_);
    const ScratchScope scope(workspace);
    da_ = workspace.scratch.take<T>(rows, width_);
    state_ = workspace.scratch.take<T>(largest.batch, width_);
    input_.carve(workspace, rows);
    recurrent_.carve(workspace, rows);
  }

  StateLayout state_layout(Index /*context*/) const override {
    return {.pieces = {{"h", {width_}}}};
  }

  void initial_state(Matrix<T> state) const override { clear_rows(state); }

  void forward(Sequence<const T> x, const Pass<T>& pass, Sequence<T> y) override {
    pass_ = pass;
    const Extent extent = x.extent;
    // A pass that keeps nothing works in the scratch of backward.
    T* const a = keeps() ? h_ : da_;
    for_row_blocks(extent.rows(), [&](const RowBlock& block) {
      input_.product_block(block.of(x.rows), block.of(Matrix<T>(a, extent.rows(), width_)));
    });
    for_batch_slices(extent.batch, width_, [&](Index first, Index count) {
      forward_slice(extent, first, count, a, y.rows);
    });
  }

  void backward(Sequence<const T> x, Sequence<const T> dy, Sequence<T> dx) override {
    const Extent extent = x.extent;
    const Matrix<const T> da(da_, extent.rows(), width_);
    const Matrix<const T> previous_h(previous_h_, extent.rows(), width_);
    input_.begin_backward();
    recurrent_.begin_backward();
    // step by step: h_t, and dh of a_t
    for_batch_slices(extent.batch, width_, [&](Index first, Index count) {
      backward_slice(extent, first, count, dy.rows);
    });
    // a_t = x_t W + h_{t-1} U + b
    for_row_blocks(extent.rows(), [&](const RowBlock& block) {
      input_.backward_parameters_block(block, block.of(x.rows), block.of(da));
      recurrent_.backward_parameters_block(block, block.of(previous_h), block.of(da));
      input_.backward_input_block(block.of(da), block.of(dx.rows));
    });
    input_.end_backward(extent.rows());
    recurrent_.end_backward(extent.rows());
  }

 private:
  using V = Lanes<T>;

  bool keeps() const { return pass_.keep == Pass<T>::Keep::tape; }

  // a (B,T,D): x_t W becomes h_t. Time inside.
  void forward_slice(Extent extent, Index first, Index count, T* a, Matrix<T> y) {
    const Matrix<T> h(state_ + first * width_, count, width_);
    const Matrix<T> carried = pass_.state.row_block(first, pass_.carries() ? count : 0);
    clear_rows(h);
    copy_rows<T>(carried, h);
    for (Index t = 0; t < extent.steps; ++t) {
      for (Index r = 0; r < count; ++r) {
        if (pass_.start(extent, first + r, t)) std::fill_n(h.row(r), width_, T(0));
      }
      if (keeps()) copy_rows<T>(h, step_rows(previous_h_, width_, extent, first, count, t));
      const Matrix<T> now = step_rows(a, width_, extent, first, count, t);
      recurrent_.product_block(h, now, Write::add);
      for (Index r = 0; r < count; ++r) {
        activate(now.row(r));
        std::copy_n(now.row(r), width_, h.row(r));
        std::copy_n(now.row(r), width_, y.row((first + r) * extent.steps + t));
      }
    }
    copy_rows<T>(h, carried);
  }

  void activate(T* a) const {
    for (Index j = 0; j < width_; j += lane_count<T>) {
      const Index n = width_ - j;
      const V sum = load_lanes(a + j, n) + load_lanes(input_.bias() + j, n);
      store_lanes(a + j, relu_ ? xsimd::max(sum, V(T(0))) : V(xsimd::tanh(sum)), n);
    }
  }

  void backward_slice(Extent extent, Index first, Index count, Matrix<const T> dy) {
    const Matrix<T> dh(state_ + first * width_, count, width_);
    clear_rows(dh);
    for (Index t = extent.steps - 1; t >= 0; --t) {
      const Matrix<T> da = step_rows(da_, width_, extent, first, count, t);
      // y_t = h_t = phi(a_t)
      for (Index r = 0; r < count; ++r) {
        const Index row = (first + r) * extent.steps + t;
        activate_backward(h_ + row * width_, dy.row(row), dh.row(r), da.row(r));
      }
      if (t == 0) break;
      // h_{t-1} U
      recurrent_.backward_input_block(da, dh);
      // h_{t-1} = 0 after a start
      for (Index r = 0; r < count; ++r) {
        if (pass_.start(extent, first + r, t)) std::fill_n(dh.row(r), width_, T(0));
      }
    }
  }

  void activate_backward(const T* h, const T* dy, const T* dh, T* da) const {
    for (Index j = 0; j < width_; j += lane_count<T>) {
      const Index n = width_ - j;
      const V out = load_lanes(h + j, n);
      const V q = load_lanes(dy + j, n) + load_lanes(dh + j, n);
      const V slope = relu_ ? xsimd::select(out > V(T(0)), V(T(1)), V(T(0))) : V(T(1) - out * out);
      store_lanes(da + j, q * slope, n);
    }
  }

  Index width_;
  Index inputs_;
  bool relu_;
  RecurrentStart start_;
  Linear<T> input_;
  Linear<T> recurrent_;
  Pass<T> pass_;
  // tape
  T* h_ = nullptr;           // (B,T,D)
  T* previous_h_ = nullptr;  // (B,T,D) h_{t-1}, after a reset
  // scratch
  T* da_ = nullptr;     // (B,T,D)
  T* state_ = nullptr;  // (B,D) h forward, dh backward
};

}  // namespace

CellEntry cells::elman() {
  return cell_entry<Elman>({
      .name = "elman",
      .summary = "simple recurrent network: a squashed mix of the input and the last state",
      .source = "Elman 1990; with relu the RNN of Deletang et al. 2023, arXiv 2207.02098",
      .equation = "h_t = phi(x_t W + h_{t-1} U + b)",
      .block = "plain",
      .uses_heads = false,
      .any_input_width = true,
      .real_input = RealInput::direct,
      .default_layers = 1,
      .options = {{.name = "activation",
                   .value = "tanh",
                   .help = "phi; relu as in the Chomsky baseline",
                   .choices = {"tanh", "relu"}},
                  recurrent_start_option("uniform")},
  });
}

}  // namespace rlt
