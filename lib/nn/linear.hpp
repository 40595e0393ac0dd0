// Affine map y = x W + b over rows, W (in, out).
#pragma once

#include <algorithm>
#include <string_view>

#include "nn/parameter.hpp"
#include "nn/row_blocks.hpp"
#include "tensor/arena.hpp"
#include "tensor/gemm.hpp"

namespace rlt {

enum class Bias { none, zero, uniform };

/// Bound of torch's default initialisation U(-bound, bound) of weights and biases: 1 / sqrt(inputs).
double default_bound(Index inputs);

/// sums[c] += sum over rows of values[row][c], on the calling thread.
template <typename T>
void add_column_sums(Matrix<const T> values, T* sums);

template <typename T>
class Linear {
 public:
  /// Parameters prefix.weight (in, out) and prefix.bias (out). By default torch's initialisation:
  /// U(-1/sqrt(in), 1/sqrt(in)) for both.
  void declare(ParameterSet<T>& parameters, std::string_view prefix, Index in, Index out,
               Bias bias);
  void declare(ParameterSet<T>& parameters, std::string_view prefix, Index in, Index out, Bias bias,
               Init weight);
  /// Takes for W the rows first_input .. first_input + in - 1 of a parameter (.., out) declared elsewhere.
  void attach(Parameter<T>& weight, Index first_input, Index in, Parameter<T>* bias = nullptr);
  /// The scratch of backward belongs to the caller's ScratchScope.
  void carve(Workspace& workspace, Index rows);

  /// y = x W + b.
  void forward(Matrix<const T> x, Matrix<T> y) const;
  /// dx = dy W^T; dW += x^T dy; db += column sums of dy.
  void backward(Matrix<const T> x, Matrix<const T> dy, Matrix<T> dx);
  /// The same where nobody asks for dx.
  void backward_parameters(Matrix<const T> x, Matrix<const T> dy);

  /// The same for one block of rows, on the calling thread; `product_block` leaves the bias to the caller.
  void product_block(Matrix<const T> x, Matrix<T> y, Write write = Write::overwrite) const;
  /// Backward in blocks: `begin_backward`, any blocks inside for_row_blocks, `end_backward`.
  void begin_backward();
  void backward_input_block(Matrix<const T> dy, Matrix<T> dx, Write write = Write::overwrite) const;
  /// x, dy: the block's rows. Must run once for every block of the pass.
  void backward_parameters_block(const RowBlock& block, Matrix<const T> x, Matrix<const T> dy);
  void end_backward(Index rows);

  /// Null where there is none.
  const T* bias() const { return bias_ == nullptr ? nullptr : bias_->value; }
  Index outputs() const { return out_; }

 private:
  Matrix<const T> weight() const { return {weight_->value + first_input_ * out_, in_, out_}; }
  Index partial_size() const { return (in_ + (bias_ == nullptr ? 0 : 1)) * out_; }

  Index in_ = 0;
  Index out_ = 0;
  Index first_input_ = 0;
  Parameter<T>* weight_ = nullptr;
  Parameter<T>* bias_ = nullptr;
  // scratch
  T* transposed_ = nullptr;  // (out, in) W^T: dy W^T is up to twice as fast when W^T lies in memory
  T* partial_ = nullptr;     // (parts, in [+ 1], out) dW, db of each part
};

}  // namespace rlt
