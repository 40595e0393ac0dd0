#include "losses/squared_error.hpp"

#include <algorithm>
#include <cmath>

#include "base/parallel.hpp"

namespace rlt {

template <std::floating_point T>
Index SquaredError<T>::scored(const Targets& targets) const {
  return targets.rows_of_reals();
}

template <std::floating_point T>
void SquaredError<T>::apply(const Targets& targets, T scale, Matrix<T> outputs,
                            std::span<Score> scores) const {
  const Index steps = targets.extent.steps;
  parallel_for(targets.extent.batch, [&](Index b, int) {
    Score& score = scores[static_cast<std::size_t>(b)];
    for (Index row = b * steps; row < (b + 1) * steps; ++row) {
      T* const y = outputs.row(row);
      if (!targets.asks_reals(row)) {
        if (scale != T(0)) std::fill_n(y, size_, T(0));
        continue;
      }
      const float* const target = targets.reals.row(row);
      ++score.tokens;
      for (Index k = 0; k < size_; ++k) {
        const T error = y[k] - static_cast<T>(target[k]);
        score.loss += static_cast<double>(error * error) / 2;
        // loss = (output_k - target_k)^2 / 2
        if (scale != T(0)) y[k] = scale * error;
      }
    }
  });
}

template class SquaredError<float>;
template class SquaredError<double>;

}  // namespace rlt
