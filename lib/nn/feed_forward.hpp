// Two-layer perceptron over rows: y = W2 relu(W1 x + b1) + b2, inner width F.
#pragma once

#include <string_view>

#include "nn/dropout.hpp"
#include "nn/linear.hpp"
#include "tensor/arena.hpp"

namespace rlt {

template <typename T>
class FeedForward {
 public:
  /// Parameters prefix.up (D, F) and prefix.down (F, D), torch's initialisation.
  void declare(ParameterSet<T>& parameters, std::string_view prefix, Index width, Index inner);
  void carve(Workspace& workspace, Index rows);

  /// Dropout acts on the inner activations.
  void forward(Matrix<const T> x, Matrix<T> y, const Dropout& dropout);
  void backward(Matrix<const T> x, Matrix<const T> dy, Matrix<T> dx);

 private:
  Linear<T> up_;
  Linear<T> down_;
  Dropout dropout_;
  T* inner_ = nullptr;   // (rows, F) after relu and dropout
  T* dinner_ = nullptr;  // (rows, F)
};

}  // namespace rlt
