// Layer normalisation over the features of each row (Ba, Kiros, Hinton 2016, arXiv 1607.06450).
#pragma once

#include <string_view>

#include "nn/parameter.hpp"
#include "tensor/arena.hpp"
#include "tensor/gemm.hpp"

namespace rlt {

/// y = (x - mean) / sqrt(variance + 1e-5) gain + bias, gain 1 and bias 0 at the start.
template <typename T>
class LayerNorm {
 public:
  void declare(ParameterSet<T>& parameters, std::string_view prefix, Index width);
  void carve(Workspace& workspace, Index rows);

  void forward(Matrix<const T> x, Matrix<T> y);
  /// dx = residual + gradient, `residual` (rows, width) may be null or dx itself; adds to the gradients of
  /// gain and bias.
  void backward(Matrix<const T> x, Matrix<const T> dy, const T* residual, Matrix<T> dx);

 private:
  void backward_tile(Matrix<const T> x, Matrix<const T> dy, const T* residual, Matrix<T> dx,
                     Index first, Index count, T* sums) const;

  Index width_ = 0;
  Parameter<T>* gain_ = nullptr;
  Parameter<T>* bias_ = nullptr;
  T* mean_ = nullptr;       // (rows)
  T* deviation_ = nullptr;  // (rows) 1 / sqrt(variance + epsilon)
  T* partial_ = nullptr;    // (blocks, 2 width) gradients of gain and bias, summed in order
};

}  // namespace rlt
