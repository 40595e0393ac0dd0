// Reference of elstm (Quasi-LSTM) from the equations of arXiv 2310.16076, written without the cell.
#pragma once

#include "reference/reference.hpp"

namespace reference {

inline Array2 elstm(const rlt::CellConfig& config, const Parameters& parameters, const Array2& x) {
  const std::size_t n = static_cast<std::size_t>(config.d_model);
  const Array2 input = parameters.matrix("input");
  const Array2 gate = parameters.matrix("gate.weight");
  const Vector gate_bias = parameters.vector("gate.bias");
  const Vector w_z = parameters.head_vector("recurrent", 0);
  const Vector w_f = parameters.head_vector("recurrent", 1);
  const Vector b_z = parameters.head_vector("bias", 0);
  const Vector b_f = parameters.head_vector("bias", 1);
  Vector c = xt::zeros<double>({n});
  Array2 y = xt::zeros<double>({x.shape()[0], n});
  for (std::size_t t = 0; t < x.shape()[0]; ++t) {
    const Vector token = xt::view(x, t);
    const Vector projected = xt::linalg::dot(token, input);
    const Vector a_z = xt::view(projected, xt::range(0, n));
    const Vector a_f = xt::view(projected, xt::range(n, 2 * n));
    const Vector z = xt::tanh(a_z + w_z * c + b_z);
    const Vector f = sigmoid(Vector(a_f + w_f * c + b_f));
    const Vector next = f * c + (1.0 - f) * z;
    Vector both = xt::zeros<double>({2 * n});
    xt::view(both, xt::range(0, n)) = token;
    xt::view(both, xt::range(n, 2 * n)) = next;
    const Vector a_o = xt::linalg::dot(both, gate);
    const Vector out = sigmoid(Vector(a_o + gate_bias)) * next;
    c = next;
    xt::view(y, t) = out;
  }
  return y;
}

}  // namespace reference
