// The table of input tokens read backwards, as the map to output tokens (Press, Wolf 2017, arXiv 1608.05859):
//   y = h E^T
#pragma once

#include "nn/parameter.hpp"
#include "nn/row_blocks.hpp"
#include "tensor/arena.hpp"

namespace rlt {

template <typename T>
class Unembedding {
 public:
  /// Takes the table (vocabulary, width) that nn/embedding.hpp has declared.
  void attach(Parameter<T>& weight) { weight_ = &weight; }
  /// The scratch belongs to the caller's ScratchScope.
  void carve(Workspace& workspace, Index rows);

  void forward(Matrix<const T> h, Matrix<T> y) const;
  /// dh = dy E; dE += dy^T h
  void backward(Matrix<const T> h, Matrix<const T> dy, Matrix<T> dh);

 private:
  Index vocabulary() const { return weight_->shape[0]; }
  Index width() const { return weight_->shape[1]; }

  Parameter<T>* weight_ = nullptr;
  // scratch
  T* transposed_ = nullptr;  // (width, vocabulary) E^T
  T* partial_ = nullptr;     // (parts, vocabulary, width) dE of each part
};

}  // namespace rlt
