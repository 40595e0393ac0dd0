// Layer normalisation over the features of each row (Ba, Kiros, Hinton 2016, arXiv 1607.06450).
#pragma once

#include <string_view>

#include "nn/parameter.hpp"
#include "nn/row_blocks.hpp"
#include "tensor/arena.hpp"
#include "tensor/gemm.hpp"

namespace rlt {

/// y = (x - mean) / sqrt(variance + epsilon) gain + bias, gain 1 and bias 0 at the start.
template <typename T>
class LayerNorm {
 public:
  /// `epsilon`: 1e-5 in torch, 1e-6 in Flax.
  void declare(ParameterSet<T>& parameters, std::string_view prefix, Index width,
               double epsilon = 1e-5);
  /// The scratch of backward belongs to the caller's ScratchScope.
  void carve(Workspace& workspace, Index rows);

  void forward(Matrix<const T> x, Matrix<T> y);
  /// dx = residual + gradient, `residual` (rows, width) may be null; it or dy may be dx itself. Adds to the
  /// gradients of gain and bias.
  void backward(Matrix<const T> x, Matrix<const T> dy, const T* residual, Matrix<T> dx);

  /// The same for one block of rows, on the calling thread: all matrices are the block's.
  void forward_block(const RowBlock& block, Matrix<const T> x, Matrix<T> y);
  /// Once for every block of the pass, then `end_backward`.
  void backward_block(const RowBlock& block, Matrix<const T> x, Matrix<const T> dy,
                      const T* residual, Matrix<T> dx);
  void end_backward(Index rows);

 private:
  void forward_tile(Matrix<const T> x, Matrix<T> y, T* means, T* inverse_deviations) const;
  void backward_tile(Matrix<const T> x, Matrix<const T> dy, const T* means,
                     const T* inverse_deviations, const T* residual, Matrix<T> dx, T* sums) const;

  Index width_ = 0;
  T epsilon_ = 0;
  Parameter<T>* gain_ = nullptr;
  Parameter<T>* bias_ = nullptr;
  T* mean_ = nullptr;               // (rows)
  T* inverse_deviation_ = nullptr;  // (rows) 1 / sqrt(variance + epsilon)
  T* partial_ = nullptr;            // (parts, 2 width) dgain | dbias of each part
};

}  // namespace rlt
