#include "nn/dropout.hpp"

#include <algorithm>

#include "base/parallel.hpp"

namespace rlt {

template <typename T>
void Dropout::apply(T* x, Index count) const {
  constexpr Index block = 16384;
  if (!active()) return;
  parallel_for(divide_up(count, block), [&](Index b, int) {
    apply_block(x + b * block, b * block, std::min(count - b * block, block));
  });
}

template <typename T>
void Dropout::apply_block(T* x, Index first, Index count) const {
  if (!active()) return;
  for (Index i = 0; i < count; ++i) x[i] *= factor<T>(first + i);
}

template void Dropout::apply<float>(float*, Index) const;
template void Dropout::apply<double>(double*, Index) const;
template void Dropout::apply_block<float>(float*, Index, Index) const;
template void Dropout::apply_block<double>(double*, Index, Index) const;

}  // namespace rlt
