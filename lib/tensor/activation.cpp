#include "tensor/activation.hpp"

#include <algorithm>

namespace rlt {

template <typename T>
void softmax_row(T* x, Index count) {
  constexpr Index n = lane_count<T>;
  const T largest = *std::max_element(x, x + count);
  Lanes<T> sums(T(0));
  for (Index i = 0; i < count; i += n) {
    const Lanes<T> power = xsimd::exp(load_lanes(x + i, count - i) - Lanes<T>(largest));
    store_lanes(x + i, power, count - i);
    sums += load_lanes(x + i, count - i);  // lanes beyond the row count as 0
  }
  const Lanes<T> scale(T(1) / xsimd::hadd(sums));
  for (Index i = 0; i < count; i += n) {
    store_lanes(x + i, load_lanes(x + i, count - i) * scale, count - i);
  }
}

template <typename T>
void tanh_row(const T* from, T* to, Index count) {
  for (Index i = 0; i < count; i += lane_count<T>) {
    store_lanes(to + i, xsimd::tanh(load_lanes(from + i, count - i)), count - i);
  }
}

template void softmax_row<float>(float*, Index);
template void softmax_row<double>(double*, Index);
template void tanh_row<float>(const float*, float*, Index);
template void tanh_row<double>(const double*, double*, Index);

}  // namespace rlt
