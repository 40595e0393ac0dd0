// Two-layer perceptron over rows with its residual: y = r + drop(W2 drop(relu(W1 x + b1)) + b2), inner
// width F.
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

  void forward(Matrix<const T> x, Matrix<const T> residual, Matrix<T> y, const Dropout& inside,
               const Dropout& after);
  /// dx of the branch alone; the gradient of the residual is dy itself.
  void backward(Matrix<const T> x, Matrix<const T> dy, Matrix<T> dx);

 private:
  Linear<T> up_;
  Linear<T> down_;
  Dropout inside_;
  Dropout after_;
  T* inner_ = nullptr;    // (rows, F) after relu and dropout
  T* dinner_ = nullptr;   // (threads, a block's rows, F)
  T* dbranch_ = nullptr;  // (rows, D) dy with dropout
};

}  // namespace rlt
