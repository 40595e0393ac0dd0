#include "nn/dropout.hpp"

#include "nn/elementwise.hpp"

namespace rlt {

template <typename T>
void Dropout::apply(T* x, Index count) const {
  if (!active()) return;
  for_buffer_blocks(count,
                    [&](Index first, Index last) { apply_block(x + first, first, last - first); });
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
