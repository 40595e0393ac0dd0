// Reference of rdn from the equations of arXiv 2106.06295, written without the cell.
#pragma once

#include "reference/reference.hpp"

namespace reference {

inline Array2 rdn(const rlt::CellConfig& config, const Parameters& parameters, const Array2& x) {
  const std::size_t d = static_cast<std::size_t>(config.head_size());
  const Array2 a = xt::linalg::dot(x, parameters.matrix("slow.weight"));
  const Array2 mixed = per_head(config, a, 3 * d + 1, [&](std::size_t head, const Array2& slow) {
    const Array2 r = parameters.head_matrix("recurrent", head);
    Array2 w = xt::zeros<double>({d, d});
    Array2 y = xt::zeros<double>({x.shape()[0], d});
    Vector last = xt::zeros<double>({d});
    for (std::size_t t = 0; t < x.shape()[0]; ++t) {
      const Vector s = xt::tanh(last);
      const Vector total = xt::view(slow, t) + read(r, s);
      const Vector q = softmax(xt::view(total, xt::range(0, d)));
      const Vector k = softmax(xt::view(total, xt::range(d, 2 * d)));
      const Vector v = xt::view(total, xt::range(2 * d, 3 * d));
      const Vector change = sigmoid(total(3 * d)) * (v - read(w, k));
      w += outer(k, change);
      last = read(w, q);
      xt::view(y, t) = last;
    }
    return y;
  });
  return xt::linalg::dot(mixed, parameters.matrix("out.weight"));
}

}  // namespace reference
