// Learned time encodings (Time2Vec: Kazemi et al. 2019, arXiv 1907.05321): waves over the position of a step, whose
// frequencies w and phases f are trained.
//   x_c += sin(t w_c + f_c)
// They start as the sinusoidal positions (nn/position.hpp).
// Backward:  df_c = sum of dx_c cos(t w_c + f_c)      dw_c = sum of dx_c t cos(t w_c + f_c)
//
// departs: the paper's entry 0 is linear in t, and so has no bound on long sequences; here it is a wave too.
#pragma once

#include <string>

#include "nn/parameter.hpp"
#include "nn/row_blocks.hpp"
#include "tensor/arena.hpp"

namespace rlt {

template <typename T>
class TimeEncoding {
 public:
  /// Parameters name.frequency and name.phase (width).
  void declare(ParameterSet<T>& parameters, const std::string& name, Index width);
  /// The scratch of backward belongs to the caller's ScratchScope.
  void carve(Workspace& workspace, Index rows);

  /// x (rows, width), the row's position in positions (rows).
  void forward(const Index* positions, Matrix<T> x) const;
  /// Adds to the gradients of the parameters.
  void backward(const Index* positions, Matrix<const T> dx);

 private:
  Index width_ = 0;
  Parameter<T>* frequency_ = nullptr;
  Parameter<T>* phase_ = nullptr;
  T* partial_ = nullptr;  // (parts, 2 width) dw | df of each part
};

}  // namespace rlt
