#include "losses/forecast.hpp"

#include <algorithm>
#include <cmath>

#include "base/parallel.hpp"

namespace rlt {

template <std::floating_point T>
Index Forecast<T>::scored(const Targets& targets) const {
  return targets.rows_of_reals();
}

template <std::floating_point T>
void Forecast<T>::apply(const Targets& targets, T scale, Matrix<T> outputs,
                        std::span<Score> scores) const {
  const Index steps = targets.extent.steps;
  parallel_for(targets.extent.batch, [&](Index b, int) {
    for (Index row = b * steps; row < (b + 1) * steps; ++row) {
      T* const z = outputs.row(row);
      if (targets.asks_reals(row)) {
        apply_row(targets.reals.row(row), scale, z, scores[static_cast<std::size_t>(b)]);
      } else if (scale != T(0)) {
        std::fill_n(z, this->outputs(), T(0));
      }
    }
  });
}

template <std::floating_point T>
void Forecast<T>::apply_row(const float* target, T scale, T* z, Score& score) const {
  const float* const mean = target + horizon_ * channels_;
  const float* const deviation = mean + channels_;
  const T per_number = T(1) / static_cast<T>(horizon_ * channels_);
  double squares = 0;
  double sizes = 0;
  for (Index h = 0; h < horizon_; ++h, z += channels_, target += channels_) {
    for (Index c = 0; c < channels_; ++c) {
      const T unit = static_cast<T>(deviation[c]);
      const T error = static_cast<T>(mean[c]) + unit * z[c] - static_cast<T>(target[c]);
      squares += static_cast<double>(error) * static_cast<double>(error);
      sizes += static_cast<double>(std::abs(error));
      // loss = sum of error^2 / (H C), error = mean + deviation z - y
      if (scale != T(0)) z[c] = scale * 2 * per_number * unit * error;
    }
  }
  ++score.tokens;
  score.numbers += horizon_ * channels_;
  score.squared_error += squares;
  score.absolute_error += sizes;
  score.loss += squares / static_cast<double>(horizon_ * channels_);
}

template class Forecast<float>;
template class Forecast<double>;

}  // namespace rlt
