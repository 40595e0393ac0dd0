#include "losses/forecast.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "base/gradient_check.hpp"
#include "base/parallel.hpp"
#include "support/numbers.hpp"

using namespace rlt;

namespace {

constexpr float none = std::numeric_limits<float>::quiet_NaN();
constexpr Index horizon = 3, channels = 2, width = horizon * channels + 2 * channels;

/// Rows of two sequences; of every third nothing is asked.
std::vector<float> wanted(Extent extent) {
  std::vector<float> rows = support::numbers<float>(extent.rows() * width, 4);
  for (Index row = 0; row < extent.rows(); ++row) {
    float* const deviations = rows.data() + (row + 1) * width - channels;
    for (Index c = 0; c < channels; ++c) deviations[c] = 0.5F + std::abs(deviations[c]);
    if (row % 3 == 0) std::fill_n(rows.data() + row * width, width, none);
  }
  return rows;
}

}  // namespace

TEST_CASE_TEMPLATE("forecast: value, gradient and counts by hand", T, float, double) {
  // H = 2, C = 2: y, then means 1 and -2, deviations 2 and 0.5
  const std::array<float, 16> target = {none, none, none, none, none, none, none, none,
                                        3,    -2,   0,    -1,   1,    -2,   2,    0.5F};
  const Targets targets{.extent = {1, 2}, .reals = {target.data(), 2, 8}};
  const std::array<T, 8> outputs = {7, 7, 7, 7, 1, 2, -1, 0};
  const Forecast<T> loss(2, 2);
  CHECK(loss.outputs() == 4);
  CHECK(loss.scored(targets) == 1);

  // predictions 3, -1, -1, -2: errors 0, 1, -1, -1
  std::array<Score, 1> scores;
  std::array<T, 8> z = outputs;
  loss.apply(targets, 0, {z.data(), 2, 4}, scores);
  CHECK(z == outputs);
  CHECK(scores[0].tokens == 1);
  CHECK(scores[0].numbers == 4);
  CHECK(scores[0].squared_error == 3);
  CHECK(scores[0].absolute_error == 3);
  CHECK(scores[0].loss == 0.75);
  CHECK(scores[0].tokens_correct == 0);

  loss.apply(targets, T(4), {z.data(), 2, 4}, scores);
  CHECK(z == std::array<T, 8>{0, 0, 0, 0, 0, 1, -4, -1});  // 4 * 2/4 deviation error
  CHECK(scores[0].loss == 1.5);                            // added
}

TEST_CASE("forecast: gradients are the central differences of the loss") {
  const Extent extent{2, 5};
  const std::vector<float> rows = wanted(extent);
  const Targets targets{.extent = extent, .reals = {rows.data(), extent.rows(), width}};
  const Forecast<double> loss(horizon, channels);
  std::vector<double> outputs = support::numbers(extent.rows() * loss.outputs(), 5);
  const auto apply = [&](std::vector<double>& z, double scale) {
    std::array<Score, 2> scores;
    loss.apply(targets, scale, {z.data(), extent.rows(), loss.outputs()}, scores);
    return 0.3 * (scores[0].loss + scores[1].loss);
  };
  std::vector<double> gradients = outputs;
  apply(gradients, 0.3);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    CAPTURE(i);
    CHECK(gradient_error(outputs[i], gradients[i], [&] { return apply(outputs, 0); }) < 1e-8);
  }
}

TEST_CASE("forecast: sequences are counted apart, with the same bits by one thread and by three") {
  const Extent extent{2, 5};
  const std::vector<float> rows = wanted(extent);
  const Targets targets{.extent = extent, .reals = {rows.data(), extent.rows(), width}};
  const Forecast<float> loss(horizon, channels);
  CHECK(loss.scored(targets) == 6);
  std::vector<std::vector<float>> outputs(2, support::numbers<float>(extent.rows() * 6, 5));
  std::array<std::array<Score, 2>, 2> scores;
  const int threads = thread_count();
  for (std::size_t i = 0; i < 2; ++i) {
    set_thread_count(i == 0 ? 1 : 3);
    loss.apply(targets, 1, {outputs[i].data(), extent.rows(), 6}, scores[i]);
  }
  set_thread_count(threads);
  CHECK(outputs[0] == outputs[1]);
  for (std::size_t b = 0; b < 2; ++b) {
    CHECK(scores[0][b].tokens == 3);
    CHECK(scores[0][b].numbers == 18);
    CHECK(scores[0][b].loss == scores[1][b].loss);
    CHECK(scores[0][b].loss == doctest::Approx(scores[0][b].squared_error / 6));
  }
}
