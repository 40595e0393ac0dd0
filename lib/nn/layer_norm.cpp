#include "nn/layer_norm.hpp"

#include <algorithm>
#include <array>
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

// Rows go in tiles of lane_count: their sums, means and square roots stand side by side in one vector.
template <typename T>
void LayerNorm<T>::forward(Matrix<const T> x, Matrix<T> y) {
  constexpr Index n = lane_count<T>;
  const T epsilon = T(1e-5);
  const T share = T(1) / static_cast<T>(width_);
  parallel_for(divide_up(x.rows, n), [&](Index tile, int) {
    const Index first = tile * n;
    const Index count = std::min(n, x.rows - first);
    std::array<Lanes<T>, static_cast<std::size_t>(n)> sums;
    sums.fill(Lanes<T>(T(0)));
    for (Index r = 0; r < count; ++r) {
      const T* const from = x.data + (first + r) * x.stride;
      for (Index c = 0; c < width_; c += n) sums[r] += load_lanes(from + c, width_ - c);
    }
    store_lanes(mean_ + first, sum_each<T>(sums) * share, count);
    sums.fill(Lanes<T>(T(0)));
    for (Index r = 0; r < count; ++r) {
      const T* const from = x.data + (first + r) * x.stride;
      const T mean = mean_[first + r];
      for (Index c = 0; c < width_; c += n) {
        const Lanes<T> centered =
            load_lanes(from + c, width_ - c) - load_constant(mean, width_ - c);
        sums[r] = xsimd::fma(centered, centered, sums[r]);
      }
    }
    const Lanes<T> variance = sum_each<T>(sums) * share;
    store_lanes(deviation_ + first, T(1) / xsimd::sqrt(variance + epsilon), count);
    for (Index r = first; r < first + count; ++r) {
      const T* const from = x.data + r * x.stride;
      T* const to = y.data + r * y.stride;
      for (Index c = 0; c < width_; c += n) {
        const Index left = width_ - c;
        const Lanes<T> normal = (load_lanes(from + c, left) - mean_[r]) * deviation_[r];
        store_lanes(to + c,
                    xsimd::fma(normal, load_lanes(gain_->value + c, left),
                               load_lanes(bias_->value + c, left)),
                    left);
      }
    }
  });
}

// With n = (x - mean) deviation and h = dy gain:
// dx = deviation (h - mean(h) - n mean(h n)),  dgain = sum over rows of dy n,  dbias = sum of dy.
template <typename T>
void LayerNorm<T>::backward(Matrix<const T> x, Matrix<const T> dy, const T* residual,
                            Matrix<T> dx) {
  const Index blocks = divide_up(x.rows, rows_in_block);
  parallel_for(blocks, [&](Index block, int) {
    T* const sums = partial_ + block * 2 * width_;
    std::fill_n(sums, 2 * width_, T(0));
    const Index last = std::min(x.rows, (block + 1) * rows_in_block);
    for (Index r = block * rows_in_block; r < last; r += lane_count<T>) {
      backward_tile(x, dy, residual, dx, r, std::min(lane_count<T>, last - r), sums);
    }
  });
  for (Index block = 0; block < blocks; ++block) {
    const T* const sums = partial_ + block * 2 * width_;
    for (Index c = 0; c < width_; ++c) gain_->gradient[c] += sums[c];
    for (Index c = 0; c < width_; ++c) bias_->gradient[c] += sums[width_ + c];
  }
}

// Rows first .. first + count - 1; adds dgain and, behind it, dbias to `sums`.
template <typename T>
void LayerNorm<T>::backward_tile(Matrix<const T> x, Matrix<const T> dy, const T* residual,
                                 Matrix<T> dx, Index first, Index count, T* sums) const {
  constexpr Index n = lane_count<T>;
  const T share = T(1) / static_cast<T>(width_);
  std::array<Lanes<T>, static_cast<std::size_t>(n)> h_sums;
  std::array<Lanes<T>, static_cast<std::size_t>(n)> hn_sums;
  h_sums.fill(Lanes<T>(T(0)));
  hn_sums.fill(Lanes<T>(T(0)));
  for (Index i = 0; i < count; ++i) {
    const Index r = first + i;
    const T* const from = x.data + r * x.stride;
    const T* const above = dy.data + r * dy.stride;
    for (Index c = 0; c < width_; c += n) {
      const Index left = width_ - c;
      const Lanes<T> normal = (load_lanes(from + c, left) - mean_[r]) * deviation_[r];
      const Lanes<T> slope = load_lanes(above + c, left);
      const Lanes<T> h = slope * load_lanes(gain_->value + c, left);
      h_sums[i] += h;
      hn_sums[i] = xsimd::fma(h, normal, hn_sums[i]);
      T* const dgain = sums + c;
      T* const dbias = dgain + width_;
      store_lanes(dgain, xsimd::fma(slope, normal, load_lanes(dgain, left)), left);
      store_lanes(dbias, slope + load_lanes(dbias, left), left);
    }
  }
  std::array<T, static_cast<std::size_t>(n)> mean_h;
  std::array<T, static_cast<std::size_t>(n)> mean_hn;
  (sum_each<T>(h_sums) * share).store_unaligned(mean_h.data());
  (sum_each<T>(hn_sums) * share).store_unaligned(mean_hn.data());
  for (Index i = 0; i < count; ++i) {
    const Index r = first + i;
    const T* const from = x.data + r * x.stride;
    const T* const above = dy.data + r * dy.stride;
    T* const to = dx.data + r * dx.stride;
    for (Index c = 0; c < width_; c += n) {
      const Index left = width_ - c;
      const Lanes<T> normal = (load_lanes(from + c, left) - mean_[r]) * deviation_[r];
      const Lanes<T> h = load_lanes(above + c, left) * load_lanes(gain_->value + c, left);
      Lanes<T> value = (h - mean_h[i] - normal * mean_hn[i]) * deviation_[r];
      if (residual != nullptr) value += load_lanes(residual + r * width_ + c, left);
      store_lanes(to + c, value, left);
    }
  }
}

template class LayerNorm<float>;
template class LayerNorm<double>;

}  // namespace rlt
