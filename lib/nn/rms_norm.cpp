#include "nn/rms_norm.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "tensor/lanes.hpp"

namespace rlt {

template <typename T>
void RmsNorm<T>::declare(ParameterSet<T>& parameters, std::string_view prefix, Index width,
                         double epsilon) {
  width_ = width;
  epsilon_ = static_cast<T>(epsilon);
  gain_ = &parameters.add(std::string(prefix) + ".gain", {width}, init::constant(1));
}

template <typename T>
void RmsNorm<T>::carve(Workspace& workspace, Index rows) {
  partial_ = workspace.scratch.take<T>(part_count(rows), width_);
}

// r
template <typename T>
T RmsNorm<T>::inverse_size(const T* x) const {
  constexpr Index n = lane_count<T>;
  Lanes<T> squares(T(0));
  for (Index c = 0; c < width_; c += n) {
    const Lanes<T> part = load_lanes(x + c, width_ - c);
    squares = xsimd::fma(part, part, squares);
  }
  return 1 / std::sqrt(xsimd::hadd(squares) / static_cast<T>(width_) + epsilon_);
}

template <typename T>
void RmsNorm<T>::forward(Matrix<const T> x, Matrix<T> y) const {
  for_row_blocks(x.rows,
                 [&](const RowBlock& block) { forward_block(block, block.of(x), block.of(y)); });
}

template <typename T>
void RmsNorm<T>::forward_block(const RowBlock& block, Matrix<const T> x, Matrix<T> y) const {
  constexpr Index n = lane_count<T>;
  for (Index row = 0; row < block.count; ++row) {
    const T* const from = x.row(row);
    const T r = inverse_size(from);
    for (Index c = 0; c < width_; c += n) {
      const Index left = width_ - c;
      const Lanes<T> normal = load_lanes(from + c, left) * r;
      store_lanes(y.row(row) + c, normal * load_lanes(gain_->value + c, left), left);
    }
  }
}

template <typename T>
void RmsNorm<T>::backward(Matrix<const T> x, Matrix<const T> dy, const T* residual, Matrix<T> dx) {
  for_row_blocks(x.rows, [&](const RowBlock& block) {
    backward_block(block, block.of(x), block.of(dy),
                   residual == nullptr ? nullptr : residual + block.first * width_, block.of(dx));
  });
  end_backward(x.rows);
}

// With n = x r and h = dy gain: dx = r (h - n mean(h n)),  dgain = sum over rows of dy n.
template <typename T>
void RmsNorm<T>::backward_block(const RowBlock& block, Matrix<const T> x, Matrix<const T> dy,
                                const T* residual, Matrix<T> dx) {
  constexpr Index n = lane_count<T>;
  T* const dgain = partial_ + block.part * width_;
  if (block.opens) std::fill_n(dgain, width_, T(0));
  for (Index row = 0; row < block.count; ++row) {
    const T* const from = x.row(row);
    const T* const above = dy.row(row);
    const T r = inverse_size(from);
    // y = n gain
    Lanes<T> hn(T(0));
    for (Index c = 0; c < width_; c += n) {
      const Index left = width_ - c;
      const Lanes<T> normal = load_lanes(from + c, left) * r;
      const Lanes<T> slope = load_lanes(above + c, left);
      hn = xsimd::fma(slope * load_lanes(gain_->value + c, left), normal, hn);
      store_lanes(dgain + c, xsimd::fma(slope, normal, load_lanes(dgain + c, left)), left);
    }
    const T mean = xsimd::hadd(hn) / static_cast<T>(width_);
    // n = x r
    for (Index c = 0; c < width_; c += n) {
      const Index left = width_ - c;
      const Lanes<T> normal = load_lanes(from + c, left) * r;
      const Lanes<T> h = load_lanes(above + c, left) * load_lanes(gain_->value + c, left);
      Lanes<T> value = (h - normal * mean) * r;
      if (residual != nullptr) value += load_lanes(residual + row * width_ + c, left);
      store_lanes(dx.row(row) + c, value, left);
    }
  }
}

template <typename T>
void RmsNorm<T>::end_backward(Index rows) {
  for (Index part = 0; part < part_count(rows); ++part) {
    const T* const dgain = partial_ + part * width_;
    for (Index c = 0; c < width_; ++c) gain_->gradient[c] += dgain[c];
  }
}

template class RmsNorm<float>;
template class RmsNorm<double>;

}  // namespace rlt
