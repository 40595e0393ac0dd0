// Two-layer perceptron over rows with its residual r, if any, inner width F:
//   h = drop(relu(x W_up + b_up))      y = r + drop(h W_down + b_down)
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
  /// The same with matrices from `weight`; of biases that start at 0, or none.
  void declare(ParameterSet<T>& parameters, std::string_view prefix, Index width, Index inner,
               const Init& weight, Bias bias = Bias::zero);
  /// Gives its scratch back at once: what works beside it in a block of rows must carve before.
  void carve(Workspace& workspace, Index rows);

  /// Passes go block by block inside for_row_blocks, on the calling thread; all matrices are the block's.
  void begin_forward(const Dropout& inside, const Dropout& after);
  /// `residual` may be null.
  void forward_block(const RowBlock& block, Matrix<const T> x, Matrix<const T> residual,
                     Matrix<T> y);
  /// dx is that of the branch alone; the gradient of the residual is dy itself. dx may be dy.
  void begin_backward();
  void backward_block(const RowBlock& block, Matrix<const T> x, Matrix<const T> dy, Matrix<T> dx);
  void end_backward(Index rows);

 private:
  Linear<T> up_;
  Linear<T> down_;
  Dropout inside_;
  Dropout after_;
  T* hidden_ = nullptr;  // (rows, F) h
  // scratch, for each thread
  T* dhidden_ = nullptr;  // (a block's rows, F)
  T* dbranch_ = nullptr;  // (a block's rows, D) dy with dropout
};

}  // namespace rlt
