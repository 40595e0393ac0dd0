#include "nn/dropout.hpp"

#include <algorithm>

#include "base/parallel.hpp"

namespace rlt {

template <typename T>
void Dropout::apply(T* x, Index count) const {
  if (!active()) return;
  constexpr Index block = 16384;
  parallel_for(divide_up(count, block), [&](Index b, int) {
    for (Index i = b * block; i < std::min(count, (b + 1) * block); ++i) x[i] *= factor<T>(i);
  });
}

template <typename T>
const T* Dropout::applied(const T* x, T* copy, Index count) const {
  if (!active()) return x;
  std::copy_n(x, count, copy);
  apply(copy, count);
  return copy;
}

template const float* Dropout::applied<float>(const float*, float*, Index) const;
template const double* Dropout::applied<double>(const double*, double*, Index) const;
template void Dropout::apply<float>(float*, Index) const;
template void Dropout::apply<double>(double*, Index) const;

}  // namespace rlt
