// One vector for each input token, entries Normal(0, 1).
#pragma once

#include <string_view>

#include "nn/parameter.hpp"
#include "tensor/gemm.hpp"

namespace rlt {

template <typename T>
class Embedding {
 public:
  void declare(ParameterSet<T>& parameters, std::string_view prefix, Index vocabulary, Index width);
  /// y_r = E[tokens_r]
  void forward(const int* tokens, Matrix<T> y) const;
  /// dE[tokens_r] += dy_r
  void backward(const int* tokens, Matrix<const T> dy);

 private:
  Parameter<T>* weight_ = nullptr;  // (vocabulary, width)
};

}  // namespace rlt
