// Reference of lstm from its equations (torch.nn.LSTM's form, one layer), written without the cell.
#pragma once

#include "reference/reference.hpp"

namespace reference {

inline Array2 lstm(const rlt::CellConfig& config, const Parameters& parameters, const Array2& x) {
  const std::size_t n = static_cast<std::size_t>(config.d_model);
  const Array2 w = parameters.matrix("input");
  const Array2 u = parameters.matrix("recurrent");
  const Vector bias = parameters.vector("bias_input") + parameters.vector("bias_recurrent");
  Vector h = xt::zeros<double>({n});
  Vector c = xt::zeros<double>({n});
  Array2 y = xt::zeros<double>({x.shape()[0], n});
  for (std::size_t t = 0; t < x.shape()[0]; ++t) {
    const Vector token = xt::view(x, t);
    const Vector from_input = xt::linalg::dot(token, w);
    const Vector from_state = xt::linalg::dot(h, u);
    const Vector a = from_input + from_state + bias;
    const Vector a_i = xt::view(a, xt::range(0, n));
    const Vector a_f = xt::view(a, xt::range(n, 2 * n));
    const Vector a_g = xt::view(a, xt::range(2 * n, 3 * n));
    const Vector a_o = xt::view(a, xt::range(3 * n, 4 * n));
    const Vector forget = sigmoid(Vector(a_f + config.number("forget_bias")));
    const Vector next = forget * c + sigmoid(a_i) * xt::tanh(a_g);
    const Vector out = sigmoid(a_o) * xt::tanh(next);
    c = next;
    h = out;
    xt::view(y, t) = out;
  }
  return y;
}

}  // namespace reference
