#include "nn/layer_norm.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "tensor/lanes.hpp"

namespace rlt {
namespace {

// body(first, count) for tiles of at most lane_count rows.
template <typename T, typename Body>
void for_tiles(Index rows, const Body& body) {
  for (Index first = 0; first < rows; first += lane_count<T>) {
    body(first, std::min(lane_count<T>, rows - first));
  }
}

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
void LayerNorm<T>::declare(ParameterSet<T>& parameters, std::string_view prefix, Index width,
                           double epsilon) {
  width_ = width;
  epsilon_ = static_cast<T>(epsilon);
  gain_ = &parameters.add(std::string(prefix) + ".gain", {width}, init::constant(1));
  bias_ = &parameters.add(std::string(prefix) + ".bias", {width}, init::constant(0));
}

template <typename T>
void LayerNorm<T>::carve(Workspace& workspace, Index rows) {
  mean_ = workspace.tape.take<T>(rows);
  inverse_deviation_ = workspace.tape.take<T>(rows);
  partial_ = workspace.scratch.take<T>(part_count(rows), 2, width_);
}

template <typename T>
void LayerNorm<T>::forward(Matrix<const T> x, Matrix<T> y) {
  for_row_blocks(x.rows,
                 [&](const RowBlock& block) { forward_block(block, block.of(x), block.of(y)); });
}

template <typename T>
void LayerNorm<T>::forward_block(const RowBlock& block, Matrix<const T> x, Matrix<T> y) {
  for_tiles<T>(block.count, [&](Index first, Index count) {
    const Index row = block.first + first;
    forward_tile(x.row_block(first, count), y.row_block(first, count), mean_ + row,
                 inverse_deviation_ + row);
  });
}

// Sums, means and inverse deviations of a tile's rows stand in the lanes of one vector.
template <typename T>
void LayerNorm<T>::forward_tile(Matrix<const T> x, Matrix<T> y, T* means,
                                T* inverse_deviations) const {
  constexpr Index n = lane_count<T>;
  const T share = T(1) / static_cast<T>(width_);
  std::array<Lanes<T>, static_cast<std::size_t>(n)> sums;
  sums.fill(Lanes<T>(T(0)));
  for (Index r = 0; r < x.rows; ++r) {
    const T* const from = x.data + r * x.stride;
    for (Index c = 0; c < width_; c += n) sums[r] += load_lanes(from + c, width_ - c);
  }
  store_lanes(means, sum_each<T>(sums) * share, x.rows);
  sums.fill(Lanes<T>(T(0)));
  for (Index r = 0; r < x.rows; ++r) {
    const T* const from = x.data + r * x.stride;
    for (Index c = 0; c < width_; c += n) {
      const Index left = width_ - c;
      const Lanes<T> centered = load_lanes(from + c, left) - load_constant(means[r], left);
      sums[r] = xsimd::fma(centered, centered, sums[r]);
    }
  }
  const Lanes<T> variance = sum_each<T>(sums) * share;
  store_lanes(inverse_deviations, T(1) / xsimd::sqrt(variance + epsilon_), x.rows);
  for (Index r = 0; r < x.rows; ++r) {
    const T* const from = x.data + r * x.stride;
    T* const to = y.data + r * y.stride;
    for (Index c = 0; c < width_; c += n) {
      const Index left = width_ - c;
      const Lanes<T> normal = (load_lanes(from + c, left) - means[r]) * inverse_deviations[r];
      store_lanes(to + c,
                  xsimd::fma(normal, load_lanes(gain_->value + c, left),
                             load_lanes(bias_->value + c, left)),
                  left);
    }
  }
}

template <typename T>
void LayerNorm<T>::backward(Matrix<const T> x, Matrix<const T> dy, const T* residual,
                            Matrix<T> dx) {
  for_row_blocks(x.rows, [&](const RowBlock& block) {
    backward_block(block, block.of(x), block.of(dy),
                   residual == nullptr ? nullptr : residual + block.first * width_, block.of(dx));
  });
  end_backward(x.rows);
}

template <typename T>
void LayerNorm<T>::backward_block(const RowBlock& block, Matrix<const T> x, Matrix<const T> dy,
                                  const T* residual, Matrix<T> dx) {
  T* const sums = partial_ + block.part * 2 * width_;
  if (block.opens) std::fill_n(sums, 2 * width_, T(0));
  for_tiles<T>(block.count, [&](Index first, Index count) {
    const Index row = block.first + first;
    backward_tile(x.row_block(first, count), dy.row_block(first, count), mean_ + row,
                  inverse_deviation_ + row,
                  residual == nullptr ? nullptr : residual + first * width_,
                  dx.row_block(first, count), sums);
  });
}

// With r = 1 / sqrt(variance + epsilon), n = (x - mean) r and h = dy gain:
// dx = r (h - mean(h) - n mean(h n)),  dgain = sum over rows of dy n,  dbias = sum of dy.
template <typename T>
void LayerNorm<T>::backward_tile(Matrix<const T> x, Matrix<const T> dy, const T* means,
                                 const T* inverse_deviations, const T* residual, Matrix<T> dx,
                                 T* sums) const {
  constexpr Index n = lane_count<T>;
  const T share = T(1) / static_cast<T>(width_);
  std::array<Lanes<T>, static_cast<std::size_t>(n)> h_sums;
  std::array<Lanes<T>, static_cast<std::size_t>(n)> hn_sums;
  h_sums.fill(Lanes<T>(T(0)));
  hn_sums.fill(Lanes<T>(T(0)));
  // y = n gain + bias
  for (Index r = 0; r < x.rows; ++r) {
    const T* const from = x.data + r * x.stride;
    const T* const above = dy.data + r * dy.stride;
    for (Index c = 0; c < width_; c += n) {
      // the next tile's row: x has left the cache since forward
      __builtin_prefetch(from + n * x.stride + c);
      const Index left = width_ - c;
      const Lanes<T> normal = (load_lanes(from + c, left) - means[r]) * inverse_deviations[r];
      const Lanes<T> slope = load_lanes(above + c, left);
      const Lanes<T> h = slope * load_lanes(gain_->value + c, left);
      h_sums[r] += h;
      hn_sums[r] = xsimd::fma(h, normal, hn_sums[r]);
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
  // n = (x - mean) r
  for (Index r = 0; r < x.rows; ++r) {
    const T* const from = x.data + r * x.stride;
    const T* const above = dy.data + r * dy.stride;
    T* const to = dx.data + r * dx.stride;
    for (Index c = 0; c < width_; c += n) {
      const Index left = width_ - c;
      const Lanes<T> normal = (load_lanes(from + c, left) - means[r]) * inverse_deviations[r];
      const Lanes<T> h = load_lanes(above + c, left) * load_lanes(gain_->value + c, left);
      Lanes<T> value = (h - mean_h[r] - normal * mean_hn[r]) * inverse_deviations[r];
      if (residual != nullptr) value += load_lanes(residual + r * width_ + c, left);
      store_lanes(to + c, value, left);
    }
  }
}

template <typename T>
void LayerNorm<T>::end_backward(Index rows) {
  for (Index part = 0; part < part_count(rows); ++part) {
    const T* const sums = partial_ + part * 2 * width_;
    for (Index c = 0; c < width_; ++c) gain_->gradient[c] += sums[c];
    for (Index c = 0; c < width_; ++c) bias_->gradient[c] += sums[width_ + c];
  }
}

template class LayerNorm<float>;
template class LayerNorm<double>;

}  // namespace rlt
