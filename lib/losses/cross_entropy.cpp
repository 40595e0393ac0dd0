#include "losses/cross_entropy.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/parallel.hpp"
#include "tensor/lanes.hpp"

namespace rlt {

template <typename T>
T cross_entropy(T* logits, Index classes, int target, T scale, bool& correct) {
  constexpr Index n = lane_count<T>;
  correct = true;
  if (target < 0) {
    if (scale != T(0)) std::fill_n(logits, classes, T(0));
    return T(0);
  }
  const T* const largest = std::max_element(logits, logits + classes);
  correct = largest - logits == target;
  const Lanes<T> shift(*largest);
  const T margin = *largest - logits[target];
  T sum = 0;
  for (Index c = 0; c < classes; c += n) {
    const Index count = std::min(n, classes - c);
    std::array<T, static_cast<std::size_t>(n)> powers;
    xsimd::exp(load_lanes(logits + c, count) - shift).store_unaligned(powers.data());
    for (Index i = 0; i < count; ++i) sum += powers[i];
    if (scale != T(0)) std::copy_n(powers.data(), count, logits + c);
  }
  // loss = -log softmax(logits)_target
  if (scale != T(0)) {
    for (Index c = 0; c < classes; ++c) logits[c] *= scale / sum;
    logits[target] -= scale;
  }
  return std::log(sum) + margin;
}

template <std::floating_point T>
Index CrossEntropy<T>::scored(const Targets& targets) const {
  const int* const end = targets.classes + targets.extent.rows();
  return std::count_if(targets.classes, end, [](int target) { return target >= 0; });
}

template <std::floating_point T>
void CrossEntropy<T>::apply(const Targets& targets, T scale, Matrix<T> outputs,
                            std::span<Score> scores) const {
  const Index steps = targets.extent.steps;
  parallel_for(targets.extent.batch, [&](Index b, int) {
    Score& score = scores[static_cast<std::size_t>(b)];
    for (Index row = b * steps; row < (b + 1) * steps; ++row) {
      const int target = targets.classes[row];
      bool correct = false;
      score.loss +=
          static_cast<double>(cross_entropy(outputs.row(row), classes_, target, scale, correct));
      if (target < 0) continue;
      ++score.tokens;
      if (correct) ++score.tokens_correct;
      if (target == targets.blank) continue;
      ++score.answers;
      if (correct) ++score.answers_correct;
    }
  });
}

template class CrossEntropy<float>;
template class CrossEntropy<double>;
template float cross_entropy<float>(float*, Index, int, float, bool&);
template double cross_entropy<double>(double*, Index, int, double, bool&);

}  // namespace rlt
