#include "nn/embedding.hpp"

#include <algorithm>
#include <string>

#include "nn/row_blocks.hpp"

namespace rlt {

template <typename T>
void Embedding<T>::declare(ParameterSet<T>& parameters, std::string_view prefix, Index vocabulary,
                           Index width) {
  weight_ = &parameters.add(std::string(prefix) + ".weight", {vocabulary, width}, init::normal(1));
}

template <typename T>
void Embedding<T>::forward(const int* tokens, Matrix<T> y) const {
  for_row_blocks(y.rows, [&](const RowBlock& block) {
    for (Index r = block.first; r < block.first + block.count; ++r) {
      std::copy_n(weight_->value + tokens[r] * y.cols, y.cols, y.data + r * y.stride);
    }
  });
}

// y_r = E[tokens_r]. Cut by columns, so that rows of the same token add up in the order of the batch, whatever
// the number of threads.
template <typename T>
void Embedding<T>::backward(const int* tokens, Matrix<const T> dy) {
  constexpr Index slice = 32;
  parallel_for(divide_up(dy.cols, slice), [&](Index index, int) {
    const Index first = index * slice;
    const Index width = std::min(slice, dy.cols - first);
    for (Index r = 0; r < dy.rows; ++r) {
      T* const sum = weight_->gradient + tokens[r] * dy.cols + first;
      const T* const row = dy.data + r * dy.stride + first;
      for (Index c = 0; c < width; ++c) sum[c] += row[c];
    }
  });
}

template class Embedding<float>;
template class Embedding<double>;

}  // namespace rlt
