// Reference of elman from its equation, written without the cell.
#pragma once

#include "reference/reference.hpp"

namespace reference {

inline Array2 elman(const rlt::CellConfig& config, const Parameters& parameters, const Array2& x) {
  const std::size_t n = static_cast<std::size_t>(config.d_model);
  const Array2 w = parameters.matrix("input");
  const Array2 u = parameters.matrix("recurrent");
  const Vector bias = parameters.vector("bias");
  Vector h = xt::zeros<double>({n});
  Array2 y = xt::zeros<double>({x.shape()[0], n});
  for (std::size_t t = 0; t < x.shape()[0]; ++t) {
    const Vector token = xt::view(x, t);
    const Vector from_input = xt::linalg::dot(token, w);
    const Vector from_state = xt::linalg::dot(h, u);
    const Vector a = from_input + from_state + bias;
    for (std::size_t j = 0; j < n; ++j) {
      const bool relu = config.text("activation") == "relu";
      h(j) = relu ? std::max(a(j), 0.0) : std::tanh(a(j));
    }
    xt::view(y, t) = h;
  }
  return y;
}

}  // namespace reference
