// The gate with which GTrXL joins a branch y to the residual stream x (Parisotto et al. 2019, arXiv 1910.06764;
// as in the code of AGaLiTe, arXiv 2310.15719), row by row, element-wise products:
//   [a^r | a^z] = y [W_r | W_z] + x [U_r | U_z]      r = sigmoid(a^r)    z = sigmoid(a^z - b)
//   a^c = y W_c + (r x) U_c                          c = tanh(a^c)
//   out = (1 - z) x + z c
// b starts at 2, so that each layer starts near the identity.
// Backward, q = dout:
//   da^c = q z (1 - c^2)     da^z = q (c - x) z (1 - z)     p = da^c U_c^T     da^r = p x r (1 - r)
//   dx = q (1 - z) + p r + da^r U_r^T + da^z U_z^T          dy = da^r W_r^T + da^z W_z^T + da^c W_c^T
//   dW = sum y da^T    dU_r, dU_z = sum x da^T    dU_c = sum (r x) da^c^T    db = -sum da^z
// It is the step of a GRU with state x and input y.
#pragma once

#include <string_view>

#include "nn/linear.hpp"
#include "tensor/arena.hpp"

namespace rlt {

template <typename T>
class GruGate {
 public:
  /// Parameters prefix.input (D, 3 D), of r, z, c; prefix.recurrent (D, 2 D), of r, z; prefix.candidate (D, D);
  /// prefix.bias (D). Each (D, D) comes from `matrix` on its own.
  void declare(ParameterSet<T>& parameters, std::string_view prefix, Index width,
               const Init& matrix);
  /// The scratch belongs to the caller's ScratchScope.
  void carve(Workspace& workspace, Index rows);

  /// Passes go block by block inside for_row_blocks, on the calling thread; all matrices are the block's.
  void forward_block(const RowBlock& block, Matrix<const T> x, Matrix<const T> y, Matrix<T> out);
  /// Overwrites dx and dy. dx may be dout itself.
  void begin_backward();
  void backward_block(const RowBlock& block, Matrix<const T> x, Matrix<const T> y,
                      Matrix<const T> dout, Matrix<T> dx, Matrix<T> dy);
  void end_backward(Index rows);

 private:
  Matrix<T> of_thread(const RowBlock& block, T* scratch, Index cols) const {
    return {scratch + block.thread * block_rows * cols, block.count, cols};
  }

  Index width_ = 0;
  Linear<T> input_;
  Linear<T> recurrent_;
  Linear<T> candidate_;
  Parameter<T>* bias_ = nullptr;
  T* gates_ = nullptr;  // tape: (rows, 3 D) r, z, c
  // scratch
  T* partial_ = nullptr;  // (parts, D) sums of da^z
  // and for each thread, of a block's rows
  T* reset_ = nullptr;   // (.., D) r x
  T* dgates_ = nullptr;  // (.., 3 D) da^r, da^z, da^c
  T* dreset_ = nullptr;  // (.., D) p
};

}  // namespace rlt
