#include "tasks/series_window.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <xtensor-blas/xlinalg.hpp>
#include <xtensor/xtensor.hpp>

#include "losses/forecast.hpp"
#include "tensor/gemm.hpp"

namespace rlt {

Example series_window(const double* values, const WindowShape& shape) {
  const auto [look_back, horizon, channels] = shape;
  Example example;
  example.tokens.assign(static_cast<std::size_t>(look_back), 0);
  example.targets = {not_scored};
  example.reals.resize(static_cast<std::size_t>(shape.inputs()));
  example.real_targets.resize(static_cast<std::size_t>(shape.real_targets()));
  std::transform(values + shape.inputs(), values + shape.inputs() + shape.numbers(),
                 example.real_targets.begin(), [](double y) { return static_cast<float>(y); });
  float* const means = example.real_targets.data() + shape.numbers();
  for (Index c = 0; c < channels; ++c) {
    double sum = 0;
    for (Index t = 0; t < look_back; ++t) sum += values[t * channels + c];
    const double mean = sum / static_cast<double>(look_back);
    double squares = 0;
    for (Index t = 0; t < look_back; ++t) squares += std::pow(values[t * channels + c] - mean, 2);
    const double deviation = std::sqrt(squares / static_cast<double>(look_back) + 1e-5);
    for (Index t = 0; t < look_back; ++t) {
      example.reals[static_cast<std::size_t>(t * channels + c)] =
          static_cast<float>((values[t * channels + c] - mean) / deviation);
    }
    means[c] = static_cast<float>(mean);
    means[channels + c] = static_cast<float>(deviation);
  }
  return example;
}

Score score_forecasts(const std::vector<Example>& examples, const WindowShape& shape,
                      const Forecaster& forecaster) {
  const Forecast<double> loss(shape.horizon, shape.channels);
  std::vector<double> z(static_cast<std::size_t>(shape.numbers()));
  Score sum;
  for (const Example& example : examples) {
    forecaster(example, z.data());
    std::array<Score, 1> score;
    loss.apply({.extent = {1, 1}, .reals = {example.real_targets.data(), 1, shape.real_targets()}},
               0, {z.data(), 1, shape.numbers()}, score);
    sum += total(score);
  }
  return sum;
}

Forecaster seasonal_forecaster(const WindowShape& shape, Index season) {
  return [shape, season](const Example& example, double* z) {
    const float* const last = example.reals.data() + shape.inputs() - season * shape.channels;
    for (Index h = 0; h < shape.horizon; ++h) {
      const float* const same = last + h % season * shape.channels;
      std::copy_n(same, shape.channels, z + h * shape.channels);
    }
  };
}

namespace {

/// Sums over the channels of examples, from pairs x (L), z (H) that are the rows of X and Z.
class LinearFit {
 public:
  LinearFit(const WindowShape& shape, Index most_examples)
      : shape_(shape),
        x_(static_cast<std::size_t>(most_examples * shape.inputs())),
        z_(static_cast<std::size_t>(most_examples * shape.numbers())),
        xx_(xt::zeros<double>({shape.look_back, shape.look_back})),
        xz_(xt::zeros<double>({shape.look_back, shape.horizon})) {}

  /// At most most_examples.
  void add(std::span<const Example> examples) {
    const auto [look_back, horizon, channels] = shape_;
    const Index rows = std::ssize(examples) * channels;
    for (Index row = 0; row < rows; ++row) {
      const Example& example = examples[static_cast<std::size_t>(row / channels)];
      const Index c = row % channels;
      const float* const y = example.real_targets.data();
      const double mean = y[shape_.numbers() + c], deviation = y[shape_.numbers() + channels + c];
      for (Index t = 0; t < look_back; ++t) {
        x_[row * look_back + t] = example.reals[t * channels + c];
      }
      for (Index h = 0; h < horizon; ++h) {
        z_[row * horizon + h] = (y[h * channels + c] - mean) / deviation;
      }
    }
    const Matrix<const double> x(x_.data(), rows, look_back), z(z_.data(), rows, horizon);
    gemm_at(x, x, {xx_.data(), look_back, look_back}, Write::add);
    gemm_at(x, z, {xz_.data(), look_back, horizon}, Write::add);
  }

  /// (L, H)
  xt::xtensor<double, 2> weights() const {
    constexpr double ridge = 1e-3;
    xt::xtensor<double, 2> matrix = xx_;
    for (Index t = 0; t < shape_.look_back; ++t) matrix(t, t) += ridge;
    return xt::linalg::solve(matrix, xz_);
  }

 private:
  WindowShape shape_;
  std::vector<double> x_, z_;
  xt::xtensor<double, 2> xx_, xz_;  // X^T X, X^T Z
};

}  // namespace

Forecaster linear_forecaster(const std::vector<Example>& training, const WindowShape& shape) {
  constexpr std::size_t at_once = 64;
  LinearFit fit(shape, at_once);
  const std::span<const Example> all(training);
  for (std::size_t first = 0; first < all.size(); first += at_once) {
    fit.add(all.subspan(first, std::min(at_once, all.size() - first)));
  }
  return [shape, weights = fit.weights()](const Example& example, double* z) {
    std::fill_n(z, shape.numbers(), 0.0);
    for (Index t = 0; t < shape.look_back; ++t) {
      const float* const x = example.reals.data() + t * shape.channels;
      for (Index h = 0; h < shape.horizon; ++h) {
        for (Index c = 0; c < shape.channels; ++c)
          z[h * shape.channels + c] += weights(t, h) * x[c];
      }
    }
  };
}

}  // namespace rlt
