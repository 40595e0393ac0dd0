#include "nn/unembedding.hpp"

#include <algorithm>

#include "nn/elementwise.hpp"
#include "tensor/gemm.hpp"
#include "tensor/transpose.hpp"

namespace rlt {

template <typename T>
void Unembedding<T>::carve(Workspace& workspace, Index rows) {
  transposed_ = workspace.scratch.take<T>(width(), vocabulary());
  partial_ = workspace.scratch.take<T>(part_count(rows), vocabulary(), width());
}

template <typename T>
void Unembedding<T>::forward(Matrix<const T> h, Matrix<T> y) const {
  const Matrix<T> table(transposed_, width(), vocabulary());
  constexpr Index n = lane_count<T>;
  parallel_for(divide_up(vocabulary(), n), [&](Index index, int) {
    const Index first = index * n;
    const Index count = std::min(n, vocabulary() - first);
    transpose(Matrix<T>(weight_->value, vocabulary(), width()).row_block(first, count),
              table.col_block(first, count));
  });
  for_row_blocks(h.rows, [&](const RowBlock& block) {
    gemm<T>(block.of(h), table, block.of(y), Write::overwrite);
  });
}

template <typename T>
void Unembedding<T>::backward(Matrix<const T> h, Matrix<const T> dy, Matrix<T> dh) {
  // y = h E^T
  const Matrix<const T> table(weight_->value, vocabulary(), width());
  for_row_blocks(dy.rows, [&](const RowBlock& block) {
    const Matrix<T> partial(partial_ + block.part * weight_->count(), vocabulary(), width());
    gemm_at<T>(block.of(dy), block.of(h), partial, block.opens ? Write::overwrite : Write::add);
    gemm<T>(block.of(dy), table, block.of(dh), Write::overwrite);
  });
  for_buffer_blocks(weight_->count(), [&](Index first, Index last) {
    for (Index part = 0; part < part_count(dy.rows); ++part) {
      const T* const partial = partial_ + part * weight_->count();
      for (Index i = first; i < last; ++i) weight_->gradient[i] += partial[i];
    }
  });
}

template class Unembedding<float>;
template class Unembedding<double>;

}  // namespace rlt
