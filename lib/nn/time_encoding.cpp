#include "nn/time_encoding.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>

#include "tensor/lanes.hpp"

namespace rlt {
namespace {

// Of the sinusoidal positions: entries 2 i and 2 i + 1 have one frequency, the second is a quarter turn ahead.
void draw_frequencies(const Rng& /*rng*/, const std::vector<Index>& /*shape*/,
                      std::span<double> entries) {
  for (std::size_t c = 0; c < entries.size(); ++c) {
    const double exponent = static_cast<double>(c - c % 2) / static_cast<double>(entries.size());
    entries[c] = 1 / std::pow(10000.0, exponent);
  }
}
void draw_phases(const Rng& /*rng*/, const std::vector<Index>& /*shape*/,
                 std::span<double> entries) {
  for (std::size_t c = 0; c < entries.size(); ++c) {
    entries[c] = c % 2 == 0 ? 0 : std::numbers::pi / 2;
  }
}

}  // namespace

template <typename T>
void TimeEncoding<T>::declare(ParameterSet<T>& parameters, const std::string& name, Index width) {
  width_ = width;
  frequency_ = &parameters.add(name + ".frequency", {width}, draw_frequencies);
  phase_ = &parameters.add(name + ".phase", {width}, draw_phases);
}

template <typename T>
void TimeEncoding<T>::carve(Workspace& workspace, Index rows) {
  partial_ = workspace.scratch.take<T>(part_count(rows), 2, width_);
}

template <typename T>
void TimeEncoding<T>::forward(const Index* positions, Matrix<T> x) const {
  constexpr Index n = lane_count<T>;
  for_row_blocks(x.rows, [&](const RowBlock& block) {
    for (Index row = block.first; row < block.first + block.count; ++row) {
      const Lanes<T> t(static_cast<T>(positions[row]));
      for (Index c = 0; c < width_; c += n) {
        const Index left = width_ - c;
        const Lanes<T> angle = xsimd::fma(t, load_lanes(frequency_->value + c, left),
                                          load_lanes(phase_->value + c, left));
        store_lanes(x.row(row) + c, load_lanes(x.row(row) + c, left) + xsimd::sin(angle), left);
      }
    }
  });
}

template <typename T>
void TimeEncoding<T>::backward(const Index* positions, Matrix<const T> dx) {
  constexpr Index n = lane_count<T>;
  for_row_blocks(dx.rows, [&](const RowBlock& block) {
    T* const dw = partial_ + block.part * 2 * width_;
    T* const df = dw + width_;
    if (block.opens) std::fill_n(dw, 2 * width_, T(0));
    for (Index row = block.first; row < block.first + block.count; ++row) {
      const Lanes<T> t(static_cast<T>(positions[row]));
      for (Index c = 0; c < width_; c += n) {
        const Index left = width_ - c;
        // x_c += sin(t w_c + f_c)
        const Lanes<T> angle = xsimd::fma(t, load_lanes(frequency_->value + c, left),
                                          load_lanes(phase_->value + c, left));
        const Lanes<T> dangle = load_lanes(dx.row(row) + c, left) * xsimd::cos(angle);
        store_lanes(dw + c, xsimd::fma(t, dangle, load_lanes(dw + c, left)), left);
        store_lanes(df + c, load_lanes(df + c, left) + dangle, left);
      }
    }
  });
  for (Index part = 0; part < part_count(dx.rows); ++part) {
    const T* const dw = partial_ + part * 2 * width_;
    for (Index c = 0; c < width_; ++c) {
      frequency_->gradient[c] += dw[c];
      phase_->gradient[c] += dw[width_ + c];
    }
  }
}

template class TimeEncoding<float>;
template class TimeEncoding<double>;

}  // namespace rlt
