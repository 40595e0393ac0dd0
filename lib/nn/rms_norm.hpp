// Root mean square normalisation over the features of each row (Zhang, Sennrich 2019, arXiv 1910.07467): no mean
// is taken away, no bias added.
#pragma once

#include <string_view>

#include "nn/parameter.hpp"
#include "nn/row_blocks.hpp"
#include "tensor/arena.hpp"

namespace rlt {

/// y = x r gain, r = 1 / sqrt(mean(x^2) + epsilon), gain 1 at the start. No tape: backward computes r again.
template <typename T>
class RmsNorm {
 public:
  void declare(ParameterSet<T>& parameters, std::string_view prefix, Index width,
               double epsilon = 1e-6);
  /// The scratch of backward belongs to the caller's ScratchScope.
  void carve(Workspace& workspace, Index rows);

  void forward(Matrix<const T> x, Matrix<T> y) const;
  /// dx = residual + gradient, `residual` (rows, width) may be null; it or dy may be dx itself. Adds to the
  /// gradient of the gain.
  void backward(Matrix<const T> x, Matrix<const T> dy, const T* residual, Matrix<T> dx);

  /// The same for one block of rows, on the calling thread: all matrices are the block's.
  void forward_block(const RowBlock& block, Matrix<const T> x, Matrix<T> y) const;
  /// Once for every block of the pass, then `end_backward`.
  void backward_block(const RowBlock& block, Matrix<const T> x, Matrix<const T> dy,
                      const T* residual, Matrix<T> dx);
  void end_backward(Index rows);

 private:
  T inverse_size(const T* x) const;

  Index width_ = 0;
  T epsilon_ = 0;
  Parameter<T>* gain_ = nullptr;
  T* partial_ = nullptr;  // (parts, width) dgain of each part
};

}  // namespace rlt
