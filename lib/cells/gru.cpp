// gru: the gated recurrent unit: one gate keeps the old state, one resets what the new one reads of it.
// Cho et al. 2014 (arXiv 1406.1078); form=plain as in Chung et al. 2014 (arXiv 1412.3555) and Haiku; form=flax as in
// torch and Flax, the baseline of AGaLiTe (arXiv 2310.15719).
//
// x_t (m), h_t (D); W (m, 3D) of r, z, c; U (D, 2D) of r, z; U_c (D, D); b (3D), b_h (D).
//   r = sigmoid(x_t W_r + h_{t-1} U_r + b_r)      z = sigmoid(x_t W_z + h_{t-1} U_z + b_z)         h_0 = 0
//   flax:  p = h_{t-1} U_c + b_h      c = tanh(x_t W_c + b_c + r p)              h_t = (1 - z) c + z h_{t-1}
//   plain: s = r h_{t-1}              c = tanh(x_t W_c + b_c + s U_c)            h_t = (1 - z) h_{t-1} + z c
//   y_t = h_t        (element-wise products)
// Backward, dh carried from step t + 1, for t = T..1, q = dy_t + dh:
//   flax:  da^c = q (1 - z) (1 - c^2)       da^z = q (h_{t-1} - c) z (1 - z)
//          dp = da^c r                      da^r = da^c p r (1 - r)
//          dh = q z + dp U_c^T + da^r U_r^T + da^z U_z^T             dU_c = sum h_{t-1} dp^T    db_h = sum dp
//   plain: da^c = q z (1 - c^2)             da^z = q (c - h_{t-1}) z (1 - z)
//          ds = da^c U_c^T                  da^r = ds h_{t-1} r (1 - r)
//          dh = q (1 - z) + ds r + da^r U_r^T + da^z U_z^T           dU_c = sum s da^c^T
//   dx = da W^T    dW = sum x_t da_t^T    db = sum da_t    dU_r, dU_z = sum h_{t-1} da_t^T
// The two forms are different functions, and z means the opposite in them.
// departs: torch has a second bias at r and z, redundant. Haiku's initialisation is not among the choices of init.
// h_t mixes tanh values, so |h_t| <= 1: the cell cannot count without bound.
// Memory: state D; tape 5 D per step, and 4 D of scratch.
#include <algorithm>
#include <string>

#include "cells/registry.hpp"
#include "mixing/batch_slices.hpp"
#include "mixing/recurrent_start.hpp"
#include "tensor/activation.hpp"

namespace rlt {
namespace {

template <typename T>
class Gru : public Cell<T> {
 public:
  explicit Gru(const CellConfig& config)
      : width_(config.d_model),
        inputs_(config.input_width()),
        plain_(config.text("form") == "plain"),
        start_(config) {}

  void declare(ParameterSet<T>& parameters, std::string_view prefix) override {
    const std::string name(prefix);
    const auto add = [&](const char* what, std::vector<Index> shape, const Init& init) {
      return &parameters.add(name + what, std::move(shape), init);
    };
    Parameter<T>* const input = add(".input", {inputs_, 3 * width_}, start_.matrices(3));
    Parameter<T>* const recurrent = add(".recurrent", {width_, 2 * width_}, start_.matrices(2));
    Parameter<T>* const candidate = add(".candidate", {width_, width_}, start_.matrices(1));
    input_.attach(*input, 0, inputs_, add(".bias", {3 * width_}, start_.biases()));
    recurrent_.attach(*recurrent, 0, width_);
    candidate_.attach(*candidate, 0, width_,
                      plain_ ? nullptr : add(".bias_h", {width_}, start_.biases()));
  }

  void carve(Workspace& workspace, Extent largest) override {
    const Index rows = largest.rows();
    gates_ = workspace.tape.take<T>(rows, 4, width_);
    previous_h_ = workspace.tape.take<T>(rows, width_);
    const ScratchScope scope(workspace);
    dgates_ = workspace.scratch.take<T>(rows, 4, width_);
    state_ = workspace.scratch.take<T>(largest.batch, width_);
    ds_ = workspace.scratch.take<T>(largest.batch, width_);
    input_.carve(workspace, rows);
    recurrent_.carve(workspace, rows);
    candidate_.carve(workspace, rows);
  }

  StateLayout state_layout(Index /*context*/) const override {
    return {.pieces = {{"h", {width_}}}};
  }

  void initial_state(Matrix<T> state) const override { clear_rows(state); }

  void forward(Sequence<const T> x, const Pass<T>& pass, Sequence<T> y) override {
    pass_ = pass;
    const Extent extent = x.extent;
    // A pass that keeps nothing works in the scratch of backward.
    T* const gates = keeps() ? gates_ : dgates_;
    for_row_blocks(extent.rows(), [&](const RowBlock& block) {
      input_.product_block(block.of(x.rows),
                           block.of(rows(extent, gates)).col_block(0, 3 * width_));
    });
    for_batch_slices(extent.batch, width_, [&](Index first, Index count) {
      forward_slice(extent, first, count, gates, y.rows);
    });
  }

  void backward(Sequence<const T> x, Sequence<const T> dy, Sequence<T> dx) override {
    const Extent extent = x.extent;
    const Matrix<const T> gates = rows(extent, gates_);
    const Matrix<const T> dgates = rows(extent, dgates_);
    const Matrix<const T> previous_h(previous_h_, extent.rows(), width_);
    for (Linear<T>* const product : {&input_, &recurrent_, &candidate_}) product->begin_backward();
    // step by step: h_t, the gates, and dh of a_t
    for_batch_slices(extent.batch, width_, [&](Index first, Index count) {
      backward_slice(extent, first, count, dy.rows);
    });
    for_row_blocks(extent.rows(), [&](const RowBlock& block) {
      const Matrix<const T> da = block.of(dgates).col_block(0, 3 * width_);
      const Matrix<const T> h = block.of(previous_h);
      // s U_c,  h_{t-1} U_c + b_h
      candidate_.backward_parameters_block(block, plain_ ? fourth(block.of(gates)) : h,
                                           plain_ ? third(da) : fourth(block.of(dgates)));
      // h_{t-1} [U_r | U_z]
      recurrent_.backward_parameters_block(block, h, da.col_block(0, 2 * width_));
      // x_t W + b
      input_.backward_parameters_block(block, block.of(x.rows), da);
      input_.backward_input_block(da, block.of(dx.rows));
    });
    for (Linear<T>* const product : {&input_, &recurrent_, &candidate_})
      product->end_backward(extent.rows());
  }

 private:
  using V = Lanes<T>;

  bool keeps() const { return pass_.keep == Pass<T>::Keep::tape; }
  Matrix<T> rows(Extent extent, T* gates) const { return {gates, extent.rows(), 4 * width_}; }
  template <typename U>
  Matrix<U> third(Matrix<U> gates) const {
    return gates.col_block(2 * width_, width_);
  }
  template <typename U>
  Matrix<U> fourth(Matrix<U> gates) const {
    return gates.col_block(3 * width_, width_);
  }

  // gates (B,T,4D): x_t W in, the gates of all steps out. Time inside.
  void forward_slice(Extent extent, Index first, Index count, T* gates, Matrix<T> y) {
    const Matrix<T> h(state_ + first * width_, count, width_);
    const Matrix<T> carried = pass_.state.row_block(first, pass_.carries() ? count : 0);
    clear_rows(h);
    copy_rows<T>(carried, h);
    for (Index t = 0; t < extent.steps; ++t) {
      for (Index r = 0; r < count; ++r) {
        if (pass_.start(extent, first + r, t)) std::fill_n(h.row(r), width_, T(0));
      }
      if (keeps()) copy_rows<T>(h, step_rows(previous_h_, width_, extent, first, count, t));
      const Matrix<T> a = step_rows(gates, 4 * width_, extent, first, count, t);
      recurrent_.product_block(h, a.col_block(0, 2 * width_), Write::add);
      for (Index r = 0; r < count; ++r) open_gates(h.row(r), a.row(r));
      if (plain_) {
        candidate_.product_block(fourth(a), third(a), Write::add);
      } else {
        candidate_.product_block(h, fourth(a));
      }
      for (Index r = 0; r < count; ++r) {
        move_on(a.row(r), h.row(r));
        std::copy_n(h.row(r), width_, y.row((first + r) * extent.steps + t));
      }
    }
    copy_rows<T>(h, carried);
  }

  // r and z of one token; plain: s.
  void open_gates(const T* h, T* a) const {
    for (Index j = 0; j < width_; j += lane_count<T>) {
      const Index n = width_ - j;
      const auto gate = [&](Index at) {
        return sigmoid(load_lanes(a + at, n) + load_lanes(input_.bias() + at, n));
      };
      const V r = gate(j);
      store_lanes(a + j, r, n);
      store_lanes(a + width_ + j, gate(width_ + j), n);
      if (plain_) store_lanes(a + 3 * width_ + j, r * load_lanes(h + j, n), n);
    }
  }

  // c of one token, flax: p, and its state from h_{t-1} to h_t.
  void move_on(T* a, T* h) const {
    for (Index j = 0; j < width_; j += lane_count<T>) {
      const Index n = width_ - j;
      const V z = load_lanes(a + width_ + j, n);
      const V before = load_lanes(h + j, n);
      V sum = load_lanes(a + 2 * width_ + j, n) + load_lanes(input_.bias() + 2 * width_ + j, n);
      if (!plain_) {
        const V p = load_lanes(a + 3 * width_ + j, n) + load_lanes(candidate_.bias() + j, n);
        store_lanes(a + 3 * width_ + j, p, n);
        sum += load_lanes(a + j, n) * p;
      }
      const V c = xsimd::tanh(sum);
      store_lanes(a + 2 * width_ + j, c, n);
      const V kept = plain_ ? V(T(1) - z) : z;
      store_lanes(h + j, kept * before + (T(1) - kept) * c, n);
    }
  }

  void backward_slice(Extent extent, Index first, Index count, Matrix<const T> dy) {
    const Matrix<T> dh(state_ + first * width_, count, width_);
    const Matrix<T> ds(ds_ + first * width_, count, width_);
    clear_rows(dh);
    for (Index t = extent.steps - 1; t >= 0; --t) {
      const Matrix<T> da = step_rows(dgates_, 4 * width_, extent, first, count, t);
      for (Index r = 0; r < count; ++r) {
        const Index row = (first + r) * extent.steps + t;
        move_on_backward(row, dy.row(row), dh.row(r), da.row(r));
      }
      if (plain_) {
        // s U_c
        candidate_.backward_input_block(third(da), ds);
        for (Index r = 0; r < count; ++r) {
          reset_backward((first + r) * extent.steps + t, ds.row(r), dh.row(r), da.row(r));
        }
      }
      if (t == 0) break;
      // h_{t-1} U_c,  h_{t-1} [U_r | U_z]
      if (!plain_) candidate_.backward_input_block(fourth(da), dh, Write::add);
      recurrent_.backward_input_block(da.col_block(0, 2 * width_), dh, Write::add);
      // h_{t-1} = 0 after a start
      for (Index r = 0; r < count; ++r) {
        if (pass_.start(extent, first + r, t)) std::fill_n(dh.row(r), width_, T(0));
      }
    }
  }

  // dh: from the step after; leaves what reaches h_{t-1} past the products. da^c, da^z; flax: da^r, dp.
  void move_on_backward(Index row, const T* dy, T* dh, T* da) const {
    const T* const a = gates_ + row * 4 * width_;
    for (Index j = 0; j < width_; j += lane_count<T>) {
      const Index n = width_ - j;
      const V z = load_lanes(a + width_ + j, n);
      const V c = load_lanes(a + 2 * width_ + j, n);
      const V before = load_lanes(previous_h_ + row * width_ + j, n);
      const V q = load_lanes(dy + j, n) + load_lanes(dh + j, n);
      // y_t = h_t = kept h_{t-1} + (1 - kept) c,  kept = z or 1 - z
      const V kept = plain_ ? V(T(1) - z) : z;
      const V dkept = q * (before - c) * z * (T(1) - z);
      const V dc = q * (T(1) - kept) * (T(1) - c * c);
      store_lanes(da + width_ + j, plain_ ? V(-dkept) : dkept, n);
      store_lanes(da + 2 * width_ + j, dc, n);
      store_lanes(dh + j, q * kept, n);
      if (plain_) continue;
      // r p,  r = sigmoid(a^r)
      const V r = load_lanes(a + j, n);
      const V p = load_lanes(a + 3 * width_ + j, n);
      store_lanes(da + 3 * width_ + j, dc * r, n);
      store_lanes(da + j, dc * p * r * (T(1) - r), n);
    }
  }

  // s = r h_{t-1},  r = sigmoid(a^r)
  void reset_backward(Index row, const T* ds, T* dh, T* da) const {
    const T* const a = gates_ + row * 4 * width_;
    for (Index j = 0; j < width_; j += lane_count<T>) {
      const Index n = width_ - j;
      const V r = load_lanes(a + j, n);
      const V before = load_lanes(previous_h_ + row * width_ + j, n);
      const V from_s = load_lanes(ds + j, n);
      store_lanes(da + j, from_s * before * r * (T(1) - r), n);
      store_lanes(dh + j, load_lanes(dh + j, n) + from_s * r, n);
    }
  }

  Index width_;
  Index inputs_;
  bool plain_;
  RecurrentStart start_;
  Linear<T> input_;
  Linear<T> recurrent_;
  Linear<T> candidate_;
  Pass<T> pass_;
  // tape
  T* gates_ = nullptr;       // (B,T,4D) r, z, c, then p (flax) or s (plain)
  T* previous_h_ = nullptr;  // (B,T,D) h_{t-1}, after a reset
  // scratch
  T* dgates_ = nullptr;  // (B,T,4D) da^r, da^z, da^c, then dp (flax)
  T* state_ = nullptr;   // (B,D) h forward, dh backward
  T* ds_ = nullptr;      // (B,D)
};

}  // namespace

CellEntry cells::gru() {
  return cell_entry<Gru>({
      .name = "gru",
      .summary = "gated recurrent unit: its state moves part of the way to a new one",
      .source = "Cho et al. 2014, arXiv 1406.1078; Chung et al. 2014, arXiv 1412.3555",
      .equation = "h_t = z h_{t-1} + (1 - z) tanh(x_t W_c + b_c + r (h_{t-1} U_c + b_h));  "
                  "r, z from x_t W + h_{t-1} U + b",
      .block = "plain",
      .uses_heads = false,
      .any_input_width = true,
      .real_input = RealInput::direct,
      .default_layers = 1,
      .options =
          {{.name = "form",
            .value = "flax",
            .help = "flax (torch's too): r acts behind U_c, z keeps the old state; plain: r acts "
                    "before U_c, z takes the new state",
            .choices = {"flax", "plain"}},
           recurrent_start_option("orthogonal")},
  });
}

}  // namespace rlt
