#include "mixing/state_gate.hpp"

#include <algorithm>
#include <cmath>

#include "nn/elementwise.hpp"
#include "tensor/activation.hpp"

namespace rlt {

template <std::floating_point T>
void StateGate<T>::declare(ParameterSet<T>& parameters, const std::string& name, Kind kind,
                           Index inputs, Index width) {
  kind_ = kind;
  inputs_ = inputs;
  width_ = width;
  if (reads()) {
    constexpr double left = 0.87962566103423978;  // deviation of a standard normal cut off at 2
    const Init matrix = init::truncated_normal(std::sqrt(0.1 / static_cast<double>(inputs)) / left);
    Parameter<T>& weight = parameters.add(name + ".weight", {inputs, gates() * width}, matrix);
    bias_ = &parameters.add(name + ".bias", {gates() * width}, init::normal(0.1));
    map_.attach(weight, 0, inputs, bias_);
  } else {
    bias_ = &parameters.add(name + ".bias", {width}, init::normal(0.1));
  }
}

template <std::floating_point T>
void StateGate<T>::carve(Workspace& workspace, Index all, Index rows) {
  gates_ = workspace.tape.take<T>(all, gates(), width_);
  dgates_ = workspace.scratch.take<T>(rows, gates(), width_);
  if (!reads()) return;
  dh_ = workspace.scratch.take<T>(rows, inputs_);
  map_.carve(workspace, rows);
}

template <std::floating_point T>
void StateGate<T>::forward(Index first, Matrix<const T> c, Matrix<const T> z, Matrix<const T> h,
                           Matrix<T> next) {
  constexpr Index n = lane_count<T>;
  const Index cols = gates() * width_;
  const Matrix<T> gates_of(gates_ + first * cols, c.rows, cols);
  if (reads()) map_.forward(h, gates_of);
  for_row_blocks(c.rows, [&](const RowBlock& block) {
    for (Index row = block.first; row < block.first + block.count; ++row) {
      T* const f = gates_of.row(row);
      T* const i = f + width_;
      for (Index col = 0; col < width_; col += n) {
        const Index left = width_ - col;
        const Lanes<T> keep =
            reads() ? sigmoid<T>(load_lanes(f + col, left) + T(1))
                    : sigmoid<T>(load_lanes(static_cast<const T*>(bias_->value) + col, left));
        Lanes<T> take = T(1) - keep;
        if (kind_ == Kind::lstm) {
          take = sigmoid<T>(load_lanes(i + col, left) - T(1));
          store_lanes(i + col, take, left);
        }
        store_lanes(f + col, keep, left);
        store_lanes(
            next.row(row) + col,
            keep * load_lanes(c.row(row) + col, left) + take * load_lanes(z.row(row) + col, left),
            left);
      }
    }
  });
}

template <std::floating_point T>
void StateGate<T>::backward(Index first, Matrix<const T> c, Matrix<const T> z, Matrix<const T> h,
                            Matrix<const T> dnext, Matrix<T> dc, Matrix<T> dz, Matrix<T> dh) {
  const Index cols = gates() * width_;
  const Matrix<const T> gates_of(gates_ + first * cols, c.rows, cols);
  const Matrix<T> dgates(dgates_, c.rows, cols);
  for_row_blocks(c.rows, [&](const RowBlock& block) {
    for (Index row = block.first; row < block.first + block.count; ++row) {
      const T* const f = gates_of.row(row);
      const T* const g = dnext.row(row);
      for (Index col = 0; col < width_; ++col) {
        const bool has_input = kind_ == Kind::lstm;
        const T take = has_input ? f[width_ + col] : 1 - f[col];
        const T old = c.row(row)[col];
        const T candidate = z.row(row)[col];
        // c' = f c + i z
        const T df = has_input ? g[col] * old : g[col] * (old - candidate);
        dc.row(row)[col] = f[col] * g[col];
        dz.row(row)[col] = take * g[col];
        // sigmoids
        dgates.row(row)[col] = df * f[col] * (1 - f[col]);
        if (has_input) dgates.row(row)[width_ + col] = g[col] * candidate * take * (1 - take);
      }
    }
  });
  // W h + b, or b alone
  if (!reads()) return add_column_sums<T>(dgates, bias_->gradient);
  map_.backward(h, dgates, {dh_, h.rows, inputs_});
  add(dh.data, dh_, dh.data, h.rows * inputs_);
}

template class StateGate<float>;
template class StateGate<double>;

}  // namespace rlt
