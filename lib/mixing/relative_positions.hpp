// Positions as the distance between a query and its key, encoded and projected (Dai et al. 2019, arXiv
// 1901.02860): for the distances i = 0, 1, ..
//   s_i = [sin(i f_0), sin(i f_1), .., cos(i f_0), cos(i f_1), ..]     f_c = 10000^(-2 c / D)
//   R_i = s_i W + b
// Rows go from the largest distance down to 0, so that they stand beside keys in the order of their steps.
#pragma once

#include <string>

#include "nn/linear.hpp"

namespace rlt {

template <std::floating_point T>
class RelativePositions {
 public:
  RelativePositions(Index width, Index outputs) : width_(width), outputs_(outputs) {}

  void declare(ParameterSet<T>& parameters, const std::string& name);
  /// For at most `capacity` distances. The scratch of backward belongs to the caller's ScratchScope.
  void carve(Workspace& workspace, Index capacity);

  /// Computes R of the distances below `distances` from the present parameters.
  void project(Index distances);
  /// So many distances have an R, of the parameters as they were then.
  Index projected() const { return projected_; }
  /// R (distances, outputs) and its transpose.
  Matrix<const T> rows(Index distances) const { return last(projections_, outputs_, distances); }
  Matrix<const T> columns(Index distances) const {
    return Matrix<const T>(transposed_, outputs_, capacity_)
        .col_block(capacity_ - distances, distances);
  }
  /// Adds to the gradients of W and b; dr is the gradient of rows(dr.rows).
  void backward(Matrix<const T> dr);

 private:
  Matrix<T> last(T* rows, Index cols, Index count) const {
    return {rows + (capacity_ - count) * cols, count, cols};
  }
  void encode(Index distance);

  Index width_;
  Index outputs_;
  Index capacity_ = 0;
  Index encoded_ = 0;
  Index projected_ = 0;
  Linear<T> projection_;
  T* encodings_ = nullptr;    // (capacity, D) s
  T* projections_ = nullptr;  // (capacity, outputs) R
  T* transposed_ = nullptr;   // (outputs, capacity) R^T
};

}  // namespace rlt
