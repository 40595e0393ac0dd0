// A window of series as an example: what was seen in units of itself, what comes as it is. The simple forecasts that a
// model on such windows is held against.
#pragma once

#include <functional>
#include <vector>

#include "losses/score.hpp"
#include "tasks/task.hpp"

namespace rlt {

struct WindowShape {
  Index look_back = 0;  // L
  Index horizon = 0;    // H
  Index channels = 0;   // C

  Index steps() const { return look_back + horizon; }
  Index inputs() const { return look_back * channels; }
  Index numbers() const { return horizon * channels; }
  Index real_targets() const { return numbers() + 2 * channels; }
};

/// `values` (L + H, C). Of each channel mean and deviation are those of the first L values, the deviation being
/// sqrt(variance + 1e-5) (1 / L, as the code of arXiv 2205.14415 has it): never below 0.003, also where a channel
/// stands still. reals (L, C) = (value - mean) / deviation; real_targets as losses/forecast.hpp wants them.
Example series_window(const double* values, const WindowShape& shape);

/// A forecast of `example` in units of its window: fills z (H, C).
using Forecaster = std::function<void(const Example& example, double* z)>;
/// What the loss of forecast.hpp counts, over all examples.
Score score_forecasts(const std::vector<Example>& examples, const WindowShape& shape,
                      const Forecaster& forecaster);

/// The last value, or the last `season` values over and over: season 1 repeats the last. At most L.
Forecaster seasonal_forecaster(const WindowShape& shape, Index season);

/// z = W^T x with x (L), z (H) of one channel, W shared by all: the W with the least
///   sum over examples and channels of |W^T x - z|^2 + 0.001 |W|^2.
/// No constant: x has mean 0.
Forecaster linear_forecaster(const std::vector<Example>& training, const WindowShape& shape);

}  // namespace rlt
