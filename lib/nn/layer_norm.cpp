#include "nn/layer_norm.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "base/parallel.hpp"
#include "tensor/lanes.hpp"

namespace rlt {
namespace {

constexpr Index rows_in_block = 64;

// `value` in the first `count` lanes, 0 beyond: subtracted from a padded row it leaves the padding 0.
template <typename T>
Lanes<T> load_constant(T value, Index count) {
  if (count >= lane_count<T>) return Lanes<T>(value);
  std::array<T, static_cast<std::size_t>(lane_count<T>)> padded{};
  std::fill_n(padded.begin(), count, value);
  return Lanes<T>::load_unaligned(padded.data());
}

}  // namespace

template <typename T>
void LayerNorm<T>::declare(ParameterSet<T>& parameters, std::string_view prefix, Index width) {
  width_ = width;
  gain_ = &parameters.add(std::string(prefix) + ".gain", {width}, Init::constant(1));
  bias_ = &parameters.add(std::string(prefix) + ".bias", {width}, Init::constant(0));
}

template <typename T>
void LayerNorm<T>::carve(Workspace& workspace, Index rows) {
  mean_ = workspace.tape.take<T>(rows);
  deviation_ = workspace.tape.take<T>(rows);
  const ScratchScope scope(workspace);
  partial_ = workspace.scratch.take<T>(divide_up(rows, rows_in_block) * 2 * width_);
}

template <typename T>
void LayerNorm<T>::forward(Matrix<const T> x, Matrix<T> y) {
  constexpr Index n = lane_count<T>;
  const T epsilon = T(1e-5);
  parallel_for(divide_up(x.rows, rows_in_block), [&](Index block, int) {
    for (Index r = block * rows_in_block; r < std::min(x.rows, (block + 1) * rows_in_block); ++r) {
      const T* const from = x.data + r * x.stride;
      Lanes<T> sum(T(0));
      for (Index c = 0; c < width_; c += n) sum += load_lanes(from + c, width_ - c);
      const T mean = xsimd::hadd(sum) / static_cast<T>(width_);
      Lanes<T> squares(T(0));
      for (Index c = 0; c < width_; c += n) {
        const Lanes<T> centered =
            load_lanes(from + c, width_ - c) - load_constant(mean, width_ - c);
        squares = xsimd::fma(centered, centered, squares);
      }
      const T deviation = T(1) / std::sqrt(xsimd::hadd(squares) / static_cast<T>(width_) + epsilon);
      T* const to = y.data + r * y.stride;
      for (Index c = 0; c < width_; c += n) {
        const Index count = width_ - c;
        const Lanes<T> normal = (load_lanes(from + c, count) - mean) * deviation;
        store_lanes(to + c,
                    xsimd::fma(normal, load_lanes(gain_->value + c, count),
                               load_lanes(bias_->value + c, count)),
                    count);
      }
      mean_[r] = mean;
      deviation_[r] = deviation;
    }
  });
}

// With n = (x - mean) deviation and h = dy gain:
// dx = deviation (h - mean(h) - n mean(h n)),  dgain = sum over rows of dy n,  dbias = sum of dy.
template <typename T>
void LayerNorm<T>::backward(Matrix<const T> x, Matrix<const T> dy, const T* residual,
                            Matrix<T> dx) {
  constexpr Index n = lane_count<T>;
  const Index blocks = divide_up(x.rows, rows_in_block);
  parallel_for(blocks, [&](Index block, int) {
    T* const dgain = partial_ + block * 2 * width_;
    T* const dbias = dgain + width_;
    std::fill_n(dgain, 2 * width_, T(0));
    for (Index r = block * rows_in_block; r < std::min(x.rows, (block + 1) * rows_in_block); ++r) {
      const T* const from = x.data + r * x.stride;
      const T* const above = dy.data + r * dy.stride;
      Lanes<T> sum_h(T(0));
      Lanes<T> sum_hn(T(0));
      for (Index c = 0; c < width_; c += n) {
        const Index count = width_ - c;
        const Lanes<T> normal = (load_lanes(from + c, count) - mean_[r]) * deviation_[r];
        const Lanes<T> slope = load_lanes(above + c, count);
        const Lanes<T> h = slope * load_lanes(gain_->value + c, count);
        sum_h += h;
        sum_hn = xsimd::fma(h, normal, sum_hn);
        store_lanes(dgain + c, xsimd::fma(slope, normal, load_lanes(dgain + c, count)), count);
        store_lanes(dbias + c, slope + load_lanes(dbias + c, count), count);
      }
      const T mean_h = xsimd::hadd(sum_h) / static_cast<T>(width_);
      const T mean_hn = xsimd::hadd(sum_hn) / static_cast<T>(width_);
      T* const to = dx.data + r * dx.stride;
      for (Index c = 0; c < width_; c += n) {
        const Index count = width_ - c;
        const Lanes<T> normal = (load_lanes(from + c, count) - mean_[r]) * deviation_[r];
        const Lanes<T> h = load_lanes(above + c, count) * load_lanes(gain_->value + c, count);
        Lanes<T> value = (h - mean_h - normal * mean_hn) * deviation_[r];
        if (residual != nullptr) value += load_lanes(residual + r * width_ + c, count);
        store_lanes(to + c, value, count);
      }
    }
  });
  for (Index block = 0; block < blocks; ++block) {
    const T* const sums = partial_ + block * 2 * width_;
    for (Index c = 0; c < width_; ++c) gain_->gradient[c] += sums[c];
    for (Index c = 0; c < width_; ++c) bias_->gradient[c] += sums[width_ + c];
  }
}

template class LayerNorm<float>;
template class LayerNorm<double>;

}  // namespace rlt
