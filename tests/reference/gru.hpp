// Reference of gru in both forms from their equations, written without the cell.
#pragma once

#include "reference/reference.hpp"

namespace reference {

inline Array2 gru(const rlt::CellConfig& config, const Parameters& parameters, const Array2& x) {
  const std::size_t n = static_cast<std::size_t>(config.d_model);
  const bool plain = config.text("form") == "plain";
  const Array2 w = parameters.matrix("input");
  const Array2 u = parameters.matrix("recurrent");
  const Array2 u_candidate = parameters.matrix("candidate");
  const Vector bias = parameters.vector("bias");
  Vector h = xt::zeros<double>({n});
  Array2 y = xt::zeros<double>({x.shape()[0], n});
  for (std::size_t t = 0; t < x.shape()[0]; ++t) {
    const Vector token = xt::view(x, t);
    const Vector projected = xt::linalg::dot(token, w);
    const Vector from_input = projected + bias;
    const Vector from_state = xt::linalg::dot(h, u);
    const Vector a_r =
        xt::view(from_input, xt::range(0, n)) + xt::view(from_state, xt::range(0, n));
    const Vector a_z =
        xt::view(from_input, xt::range(n, 2 * n)) + xt::view(from_state, xt::range(n, 2 * n));
    const Vector a_n = xt::view(from_input, xt::range(2 * n, 3 * n));
    const Vector r = sigmoid(a_r);
    const Vector z = sigmoid(a_z);
    if (plain) {
      const Vector reset = r * h;
      const Vector from_reset = xt::linalg::dot(reset, u_candidate);
      const Vector next = (1.0 - z) * h + z * xt::tanh(a_n + from_reset);
      h = next;
    } else {
      const Vector from_h = xt::linalg::dot(h, u_candidate);
      const Vector inner = from_h + parameters.vector("bias_h");
      const Vector next = (1.0 - z) * xt::tanh(a_n + r * inner) + z * h;
      h = next;
    }
    xt::view(y, t) = h;
  }
  return y;
}

}  // namespace reference
