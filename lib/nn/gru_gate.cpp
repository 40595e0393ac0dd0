#include "nn/gru_gate.hpp"

#include <algorithm>
#include <string>

#include "tensor/activation.hpp"

namespace rlt {

template <typename T>
void GruGate<T>::declare(ParameterSet<T>& parameters, std::string_view prefix, Index width,
                         const Init& matrix) {
  const std::string name(prefix);
  width_ = width;
  input_.attach(parameters.add(name + ".input", {width, 3 * width}, init::columns(3, matrix)), 0,
                width);
  recurrent_.attach(
      parameters.add(name + ".recurrent", {width, 2 * width}, init::columns(2, matrix)), 0, width);
  candidate_.attach(parameters.add(name + ".candidate", {width, width}, matrix), 0, width);
  bias_ = &parameters.add(name + ".bias", {width}, init::constant(2));
}

template <typename T>
void GruGate<T>::carve(Workspace& workspace, Index rows) {
  gates_ = workspace.tape.take<T>(rows, 3, width_);
  partial_ = workspace.scratch.take<T>(part_count(rows), width_);
  reset_ = workspace.scratch.take<T>(thread_count(), block_rows, width_);
  dgates_ = workspace.scratch.take<T>(thread_count(), block_rows, 3, width_);
  dreset_ = workspace.scratch.take<T>(thread_count(), block_rows, width_);
  input_.carve(workspace, rows);
  recurrent_.carve(workspace, rows);
  candidate_.carve(workspace, rows);
}

template <typename T>
void GruGate<T>::forward_block(const RowBlock& block, Matrix<const T> x, Matrix<const T> y,
                               Matrix<T> out) {
  using V = Lanes<T>;
  const Matrix<T> gates(gates_ + block.first * 3 * width_, block.count, 3 * width_);
  const Matrix<T> reset = of_thread(block, reset_, width_);
  input_.product_block(y, gates);
  recurrent_.product_block(x, gates.col_block(0, 2 * width_), Write::add);
  for (Index row = 0; row < block.count; ++row) {
    T* const a = gates.row(row);
    for (Index j = 0; j < width_; j += lane_count<T>) {
      const Index n = width_ - j;
      const V r = sigmoid(load_lanes(a + j, n));
      const V z = sigmoid(load_lanes(a + width_ + j, n) - load_lanes(bias_->value + j, n));
      store_lanes(a + j, r, n);
      store_lanes(a + width_ + j, z, n);
      store_lanes(reset.row(row) + j, r * load_lanes(x.row(row) + j, n), n);
    }
  }
  candidate_.product_block(reset, gates.col_block(2 * width_, width_), Write::add);
  for (Index row = 0; row < block.count; ++row) {
    T* const a = gates.row(row);
    for (Index j = 0; j < width_; j += lane_count<T>) {
      const Index n = width_ - j;
      const V z = load_lanes(a + width_ + j, n);
      const V c = xsimd::tanh(load_lanes(a + 2 * width_ + j, n));
      store_lanes(a + 2 * width_ + j, c, n);
      store_lanes(out.row(row) + j, (T(1) - z) * load_lanes(x.row(row) + j, n) + z * c, n);
    }
  }
}

template <typename T>
void GruGate<T>::begin_backward() {
  input_.begin_backward();
  recurrent_.begin_backward();
  candidate_.begin_backward();
}

template <typename T>
void GruGate<T>::backward_block(const RowBlock& block, Matrix<const T> x, Matrix<const T> y,
                                Matrix<const T> dout, Matrix<T> dx, Matrix<T> dy) {
  using V = Lanes<T>;
  const Matrix<const T> gates(gates_ + block.first * 3 * width_, block.count, 3 * width_);
  const Matrix<T> reset = of_thread(block, reset_, width_);
  const Matrix<T> dgates = of_thread(block, dgates_, 3 * width_);
  const Matrix<T> dreset = of_thread(block, dreset_, width_);
  const Matrix<T> dr_dz = dgates.col_block(0, 2 * width_);
  const Matrix<T> dz = dgates.col_block(width_, width_);
  const Matrix<T> dc = dgates.col_block(2 * width_, width_);
  // out = (1 - z) x + z c,  c = tanh(a^c),  z = sigmoid(a^z - b)
  for (Index row = 0; row < block.count; ++row) {
    const T* const gate = gates.row(row);
    for (Index j = 0; j < width_; j += lane_count<T>) {
      const Index n = width_ - j;
      const V z = load_lanes(gate + width_ + j, n);
      const V c = load_lanes(gate + 2 * width_ + j, n);
      const V in = load_lanes(x.row(row) + j, n);
      const V q = load_lanes(dout.row(row) + j, n);
      store_lanes(dc.row(row) + j, q * z * (T(1) - c * c), n);
      store_lanes(dz.row(row) + j, q * (c - in) * z * (T(1) - z), n);
      store_lanes(dx.row(row) + j, q * (T(1) - z), n);
      store_lanes(reset.row(row) + j, load_lanes(gate + j, n) * in, n);
    }
  }
  // (r x) U_c
  candidate_.backward_parameters_block(block, reset, dc);
  candidate_.backward_input_block(dc, dreset);
  // r x,  r = sigmoid(a^r)
  for (Index row = 0; row < block.count; ++row) {
    for (Index j = 0; j < width_; j += lane_count<T>) {
      const Index n = width_ - j;
      const V r = load_lanes(gates.row(row) + j, n);
      const V p = load_lanes(dreset.row(row) + j, n);
      const V in = load_lanes(x.row(row) + j, n);
      store_lanes(dgates.row(row) + j, p * in * r * (T(1) - r), n);
      store_lanes(dx.row(row) + j, load_lanes(dx.row(row) + j, n) + p * r, n);
    }
  }
  // a^z - b
  T* const sums = partial_ + block.part * width_;
  if (block.opens) std::fill_n(sums, width_, T(0));
  add_column_sums<T>(dz, sums);
  // x [U_r | U_z]
  recurrent_.backward_parameters_block(block, x, dr_dz);
  recurrent_.backward_input_block(dr_dz, dx, Write::add);
  // y [W_r | W_z | W_c]
  input_.backward_parameters_block(block, y, dgates);
  input_.backward_input_block(dgates, dy);
}

template <typename T>
void GruGate<T>::end_backward(Index rows) {
  input_.end_backward(rows);
  recurrent_.end_backward(rows);
  candidate_.end_backward(rows);
  for (Index part = 0; part < part_count(rows); ++part) {
    for (Index j = 0; j < width_; ++j) bias_->gradient[j] -= partial_[part * width_ + j];
  }
}

template class GruGate<float>;
template class GruGate<double>;

}  // namespace rlt
