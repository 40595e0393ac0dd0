// Affine map y = x W + b over rows, W (in, out).
#pragma once

#include <algorithm>
#include <string_view>

#include "base/parallel.hpp"
#include "nn/parameter.hpp"
#include "tensor/gemm.hpp"

namespace rlt {

/// body(first row, number of rows) over fixed blocks of rows, in parallel.
template <typename Body>
void for_row_blocks(Index rows, Index width, const Body& body) {
  const Index height = block_rows(width);
  parallel_for(divide_up(rows, height), [&](Index block, int) {
    const Index first = block * height;
    body(first, std::min(height, rows - first));
  });
}

enum class Bias { none, zero, uniform };

/// Half width of torch's default initialisation of weights and biases: 1 / sqrt(inputs).
double default_width(Index inputs);

/// sums[c] += sum over rows of values[row][c], in parallel over columns.
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

  /// y = x W + b.
  void forward(Matrix<const T> x, Matrix<T> y) const;
  /// dx = dy W^T (or dx += with Write::add); dW += x^T dy; db += column sums of dy.
  void backward(Matrix<const T> x, Matrix<const T> dy, Matrix<T> dx,
                Write write = Write::overwrite);

  /// The same for one block of rows, on the calling thread; `product_block` leaves the bias to the caller.
  void forward_block(Matrix<const T> x, Matrix<T> y) const;
  void product_block(Matrix<const T> x, Matrix<T> y) const;
  void backward_input_block(Matrix<const T> dy, Matrix<T> dx, Write write) const;
  void backward_parameters(Matrix<const T> x, Matrix<const T> dy);

  const T* bias() const { return bias_->value; }
  Index inputs() const { return in_; }
  Index outputs() const { return out_; }

 private:
  Matrix<const T> weight() const { return {weight_->value, in_, out_}; }

  Index in_ = 0;
  Index out_ = 0;
  Parameter<T>* weight_ = nullptr;
  Parameter<T>* bias_ = nullptr;
};

}  // namespace rlt
