#include "nn/init.hpp"

#include <algorithm>
#include <cmath>
#include <xtensor-blas/xlinalg.hpp>
#include <xtensor/xadapt.hpp>
#include <xtensor/xtensor.hpp>

namespace rlt {
namespace {

/// entry(i) for every i.
template <typename Entry>
Init by_entry(const Entry& entry) {
  return [entry](const Rng& rng, const std::vector<Index>&, std::span<double> values) {
    for (Index i = 0; i < std::ssize(values); ++i) values[i] = entry(rng, i);
  };
}

}  // namespace

Init init::constant(double value) {
  return by_entry([value](const Rng&, Index) { return value; });
}

Init init::uniform(double bound) {
  return by_entry([bound](const Rng& rng, Index i) { return bound * (2 * rng.uniform(i) - 1); });
}

Init init::normal(double deviation, double mean) {
  return by_entry(
      [deviation, mean](const Rng& rng, Index i) { return mean + deviation * rng.normal(i); });
}

Init init::truncated_normal(double deviation) {
  constexpr double bound = 2;
  return by_entry([deviation](const Rng& rng, Index i) {
    // Each entry draws from its own stream until it is within the bound: 1.05 times on average.
    const Rng own = rng.stream(static_cast<std::uint64_t>(i));
    Index draw = 0;
    double number = own.normal(draw);
    while (std::abs(number) > bound) number = own.normal(++draw);
    return deviation * number;
  });
}

Init init::lecun_normal() {
  return [](const Rng& rng, const std::vector<Index>& shape, std::span<double> values) {
    constexpr double left = 0.87962566103423978;  // deviation of a standard normal cut off at 2
    const Index inputs = std::ssize(values) / shape.back();
    truncated_normal(1 / (left * std::sqrt(static_cast<double>(inputs))))(rng, shape, values);
  };
}

Init init::orthogonal(double gain) {
  return [gain](const Rng& rng, const std::vector<Index>& shape, std::span<double> values) {
    const Index cols = shape.back();
    const Index rows = std::ssize(values) / cols;
    const Index tall = std::max(rows, cols);
    const Index wide = std::min(rows, cols);
    std::vector<double> gaussian(values.size());
    for (Index i = 0; i < std::ssize(values); ++i) gaussian[i] = rng.normal(i);
    const std::vector<double> q = orthonormal_columns(tall, wide, gaussian);
    for (Index r = 0; r < rows; ++r) {
      for (Index c = 0; c < cols; ++c) {
        values[r * cols + c] = gain * (rows >= cols ? q[r * wide + c] : q[c * wide + r]);
      }
    }
  };
}

Init init::identity(double scale) {
  return [scale](const Rng&, const std::vector<Index>& shape, std::span<double> values) {
    const Index cols = shape.back();
    const Index rows = shape.size() < 2 ? 1 : shape[shape.size() - 2];
    for (Index i = 0; i < std::ssize(values); ++i) {
      values[i] = i / cols % rows == i % cols ? scale : 0;
    }
  };
}

std::vector<double> orthonormal_columns(Index rows, Index cols,
                                        const std::vector<double>& gaussian) {
  const std::vector<std::size_t> shape = {static_cast<std::size_t>(rows),
                                          static_cast<std::size_t>(cols)};
  const xt::xtensor<double, 2> matrix = xt::adapt(gaussian, shape);
  const auto [q, r] = xt::linalg::qr(matrix, xt::linalg::qrmode::reduced);
  std::vector<double> columns(gaussian.size());
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < cols; ++j) columns[i * cols + j] = r(j, j) < 0 ? -q(i, j) : q(i, j);
  }
  return columns;
}

}  // namespace rlt
