#include "nn/loss.hpp"

#include <algorithm>
#include <cmath>

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
    const Lanes<T> power = xsimd::exp(load_lanes(logits + c, classes - c) - shift);
    store_lanes(logits + c, power, classes - c);
  }
  for (Index c = 0; c < classes; ++c) sum += logits[c];
  if (scale != T(0)) {
    for (Index c = 0; c < classes; ++c) logits[c] *= scale / sum;
    logits[target] -= scale;
  }
  return std::log(sum) + margin;
}

template float cross_entropy<float>(float*, Index, int, float, bool&);
template double cross_entropy<double>(double*, Index, int, double, bool&);

}  // namespace rlt
