// elstm: an LSTM with element-wise recurrence and an output gate without memory (Quasi-LSTM).
// Irie, Csordas, Schmidhuber 2023, Practical Computational Power of Linear Transformers (arXiv 2310.16076).
//
// x_t, h_t, c_t (D); input [Z | F] (D, 2D), recurrent [w_z, w_f] and bias [b_z, b_f] (2, D), gate W (2D, D).
//   z_t = tanh(x_t Z + w_z c_{t-1} + b_z)       f_t = sigmoid(x_t F + w_f c_{t-1} + b_f)      c_0 = 0
//   c_t = f_t c_{t-1} + (1 - f_t) z_t           (element-wise products)
//   o_t = sigmoid([x_t ; c_t] W + b)            y_t = h_t = o_t c_t
// Backward, r carried from step t + 1, for t = T..1:
//   da^o = dy c_t o (1 - o)                     dc = dy o + da^o W_c^T + r
//   da^f = dc (c_{t-1} - z) f (1 - f)           da^z = dc (1 - f) (1 - z^2)
//   r = dc f + w_z da^z + w_f da^f
//   dx = da^z Z^T + da^f F^T + da^o W_x^T       dW = sum [x_t ; c_t] da^o_t^T     db = sum da^o_t
//   dZ = sum x_t da^z_t^T   dw_z = sum da^z_t c_{t-1}   db_z = sum da^z_t; for f likewise
// departs: the input is as wide as the state (the official default is an embedding of 128 for any state), and
//   --layers may stack several (the official model has one).
// c_t mixes tanh values, so |c_t| <= 1: the cell cannot count without bound.
// Memory: state D; tape 4 D per step, and 3 D of scratch.
#include <algorithm>
#include <string>

#include "cells/registry.hpp"
#include "nn/linear.hpp"
#include "tensor/activation.hpp"

namespace rlt {
namespace {

template <typename T>
class Elstm : public Cell<T> {
 public:
  explicit Elstm(const CellConfig& config) : width_(config.d_model) {}

  void declare(ParameterSet<T>& parameters, std::string_view prefix) override {
    const std::string name(prefix);
    const Init narrow = init::normal(0.1);
    input_.attach(parameters.add(name + ".input", {width_, 2 * width_}, narrow), 0, width_);
    recurrent_ = &parameters.add(name + ".recurrent", {2, width_}, narrow);
    bias_ = &parameters.add(name + ".bias", {2, width_}, narrow);
    const Init wide = init::uniform(default_bound(2 * width_));
    Parameter<T>& gate = parameters.add(name + ".gate.weight", {2 * width_, width_}, wide);
    gate_x_.attach(gate, 0, width_, &parameters.add(name + ".gate.bias", {width_}, wide));
    gate_c_.attach(gate, width_, width_);
  }

  void carve(Workspace& workspace, Extent largest) override {
    const Index rows = largest.rows();
    zf_ = workspace.tape.take<T>(rows, 2, width_);
    c_ = workspace.tape.take<T>(rows, width_);
    o_ = workspace.tape.take<T>(rows, width_);
    first_c_ = workspace.tape.take<T>(largest.batch, width_);
    zero_ = workspace.tape.take<T>(width_);
    const ScratchScope scope(workspace);
    dzf_ = workspace.scratch.take<T>(rows, 2, width_);
    do_ = workspace.scratch.take<T>(rows, width_);
    dc_ = workspace.scratch.take<T>(rows, width_);
    r_ = workspace.scratch.take<T>(largest.batch, width_);
    sums_ = workspace.scratch.take<T>(largest.batch, 4, width_);
    input_.carve(workspace, rows);
    gate_x_.carve(workspace, rows);
    gate_c_.carve(workspace, rows);
  }

  StateLayout state_layout(Index /*context*/) const override {
    return {.pieces = {{"c", {width_}}}};
  }

  void initial_state(Matrix<T> state) const override {
    for (Index b = 0; b < state.rows; ++b) std::fill_n(state.row(b), width_, T(0));
  }

  void forward(Sequence<const T> x, const Pass<T>& pass, Sequence<T> y) override {
    pass_ = pass;
    const Extent extent = x.extent;
    const Matrix<const T> in = x.rows;
    const Matrix<T> c = rows(extent, c_);
    const Matrix<T> o = rows(extent, o_);
    input_.forward(in, {zf_, extent.rows(), 2 * width_});
    parallel_for(extent.batch, [&](Index b, int) { forward_sequence(extent, b); });
    for_row_blocks(extent.rows(), [&](const RowBlock& block) {
      gate_x_.product_block(block.of(in), block.of(o));
      gate_c_.product_block(block.of(c), block.of(o), Write::add);
      for (Index row = block.first; row < block.first + block.count; ++row) {
        emit(c_ + row * width_, o_ + row * width_, y.rows.row(row));
      }
    });
  }

  void backward(Sequence<const T> x, Sequence<const T> dy, Sequence<T> dx) override {
    const Extent extent = x.extent;
    const Matrix<const T> in = x.rows;
    const Matrix<T> din = dx.rows;
    const Matrix<const T> dzf(dzf_, extent.rows(), 2 * width_);
    const Matrix<T> da = rows(extent, do_);
    const Matrix<T> dc = rows(extent, dc_);
    const Matrix<T> c = rows(extent, c_);
    for (Linear<T>* const product : {&input_, &gate_x_, &gate_c_}) product->begin_backward();
    for_row_blocks(extent.rows(), [&](const RowBlock& block) {
      // y_t = h_t = o_t c_t,  o_t = sigmoid([x_t ; c_t] W + b)
      for (Index row = block.first; row < block.first + block.count; ++row) {
        const Index at = row * width_;
        emit_backward(c_ + at, o_ + at, dy.rows.row(row), do_ + at, dc_ + at);
      }
      // [x_t ; c_t] W: the part of c_t
      gate_c_.backward_input_block(block.of(da), block.of(dc), Write::add);
    });
    // c_t = f_t c_{t-1} + (1 - f_t) z_t,  f_t and z_t
    parallel_for(extent.batch, [&](Index b, int) { backward_sequence(extent, b); });
    // x_t Z,  x_t F,  [x_t ; c_t] W + b but for dc
    for_row_blocks(extent.rows(), [&](const RowBlock& block) {
      input_.backward_input_block(block.of(dzf), block.of(din));
      gate_x_.backward_input_block(block.of(da), block.of(din), Write::add);
      input_.backward_parameters_block(block, block.of(in), block.of(dzf));
      gate_x_.backward_parameters_block(block, block.of(in), block.of(da));
      gate_c_.backward_parameters_block(block, block.of(c), block.of(da));
    });
    for (Linear<T>* const product : {&input_, &gate_x_, &gate_c_})
      product->end_backward(extent.rows());
    // w_z c_{t-1} + b_z,  w_f c_{t-1} + b_f
    const Matrix<const T> sums(sums_, extent.batch, 4 * width_);
    add_column_sums<T>(sums.col_block(0, 2 * width_), recurrent_->gradient);
    add_column_sums<T>(sums.col_block(2 * width_, 2 * width_), bias_->gradient);
  }

 private:
  using V = Lanes<T>;

  Matrix<T> rows(Extent extent, T* data) const { return {data, extent.rows(), width_}; }

  // c_{t-1} of sequence b, after a reset
  const T* before(Extent extent, Index b, Index t) const {
    if (pass_.start(extent, b, t)) return zero_;
    return t == 0 ? first_c_ + b * width_ : c_ + (b * extent.steps + t - 1) * width_;
  }

  // Activates z and f in place; time inside.
  void forward_sequence(Extent extent, Index b) {
    T* const carried = pass_.carries() ? pass_.state.row(b) : nullptr;
    std::copy_n(carried == nullptr ? zero_ : carried, width_, first_c_ + b * width_);
    const T* const w = recurrent_->value;
    const T* const bias = bias_->value;
    for (Index t = 0; t < extent.steps; ++t) {
      const Index row = b * extent.steps + t;
      const T* const past = before(extent, b, t);
      T* const zf = zf_ + row * 2 * width_;
      for (Index j = 0; j < width_; j += lane_count<T>) {
        const Index n = width_ - j;
        const V c = load_lanes(past + j, n);
        const auto preactivation = [&](Index at) {
          return load_lanes(zf + at, n) + load_lanes(w + at, n) * c + load_lanes(bias + at, n);
        };
        const V z = xsimd::tanh(preactivation(j));
        const V f = sigmoid(preactivation(width_ + j));
        store_lanes(zf + j, z, n);
        store_lanes(zf + width_ + j, f, n);
        store_lanes(c_ + row * width_ + j, f * c + (T(1) - f) * z, n);
      }
    }
    if (carried != nullptr)
      std::copy_n(c_ + ((b + 1) * extent.steps - 1) * width_, width_, carried);
  }

  // dc_ holds what reaches c_t from its own output; sums_ gets this sequence's dw_z, dw_f, db_z, db_f.
  void backward_sequence(Extent extent, Index b) {
    const T* const w = recurrent_->value;
    T* const r = r_ + b * width_;
    T* const dw = sums_ + b * 4 * width_;
    T* const dbias = dw + 2 * width_;
    std::fill_n(r, width_, T(0));
    std::fill_n(dw, 4 * width_, T(0));
    for (Index t = extent.steps - 1; t >= 0; --t) {
      const Index row = b * extent.steps + t;
      const T* const past = before(extent, b, t);
      const T* const zf = zf_ + row * 2 * width_;
      T* const dzf = dzf_ + row * 2 * width_;
      for (Index j = 0; j < width_; j += lane_count<T>) {
        const Index n = width_ - j;
        const V c = load_lanes(past + j, n);
        const V z = load_lanes(zf + j, n);
        const V f = load_lanes(zf + width_ + j, n);
        const V dc = load_lanes(dc_ + row * width_ + j, n) + load_lanes(r + j, n);
        // c_t = f_t c_{t-1} + (1 - f_t) z_t,  f_t = sigmoid(a^f),  z_t = tanh(a^z)
        const V df = dc * (c - z) * f * (T(1) - f);
        const V dz = dc * (T(1) - f) * (T(1) - z * z);
        store_lanes(dzf + j, dz, n);
        store_lanes(dzf + width_ + j, df, n);
        // a^f = x_t F + w_f c_{t-1} + b_f,  a^z = x_t Z + w_z c_{t-1} + b_z
        store_lanes(r + j, dc * f + load_lanes(w + j, n) * dz + load_lanes(w + width_ + j, n) * df,
                    n);
        const auto accumulate = [&](T* sum, const V& value) {
          store_lanes(sum, load_lanes(sum, n) + value, n);
        };
        accumulate(dw + j, dz * c);
        accumulate(dw + width_ + j, df * c);
        accumulate(dbias + j, dz);
        accumulate(dbias + width_ + j, df);
      }
      // c_{t-1} = 0 after a start
      if (pass_.start(extent, b, t)) std::fill_n(r, width_, T(0));
    }
  }

  // The output of one row: o is activated in place.
  void emit(const T* c, T* o, T* y) const {
    for (Index j = 0; j < width_; j += lane_count<T>) {
      const Index n = width_ - j;
      const V gate = sigmoid(load_lanes(o + j, n) + load_lanes(gate_x_.bias() + j, n));
      store_lanes(o + j, gate, n);
      store_lanes(y + j, gate * load_lanes(c + j, n), n);
    }
  }

  void emit_backward(const T* c, const T* o, const T* dy, T* da, T* dc) const {
    for (Index j = 0; j < width_; j += lane_count<T>) {
      const Index n = width_ - j;
      const V gate = load_lanes(o + j, n);
      const V dh = load_lanes(dy + j, n);
      // h_t = o_t c_t
      store_lanes(dc + j, dh * gate, n);
      // o_t = sigmoid([x_t ; c_t] W + b)
      store_lanes(da + j, dh * load_lanes(c + j, n) * gate * (T(1) - gate), n);
    }
  }

  Index width_;
  Linear<T> input_;
  Parameter<T>* recurrent_ = nullptr;
  Parameter<T>* bias_ = nullptr;
  Linear<T> gate_x_;  // the rows of the gate's W that meet x, with its bias
  Linear<T> gate_c_;  // those that meet c
  Pass<T> pass_;
  // tape
  T* zf_ = nullptr;       // (B,T,2D) z, f
  T* c_ = nullptr;        // (B,T,D)
  T* o_ = nullptr;        // (B,T,D)
  T* first_c_ = nullptr;  // (B,D) the state that came in
  T* zero_ = nullptr;     // (D) a fresh state; never written
  // scratch
  T* dzf_ = nullptr;   // (B,T,2D) da^z, da^f
  T* do_ = nullptr;    // (B,T,D) da^o
  T* dc_ = nullptr;    // (B,T,D)
  T* r_ = nullptr;     // (B,D)
  T* sums_ = nullptr;  // (B,4D)
};

}  // namespace

CellEntry cells::elstm() {
  return cell_entry<Elstm>({
      .name = "elstm",
      .summary = "LSTM with element-wise recurrence and an output gate without memory",
      .source = "Irie et al. 2023, arXiv 2310.16076",
      .equation = "c_t = f c_{t-1} + (1 - f) z;  h_t = sigmoid(W [x_t ; c_t] + b) c_t;  "
                  "z, f from x_t and w c_{t-1}",
      .block = "plain",
      .uses_heads = false,
      .default_layers = 1,
      .options = {},
  });
}

}  // namespace rlt
