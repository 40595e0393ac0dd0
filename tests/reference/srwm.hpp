// Reference of srwm from the equations of arXiv 2202.05780 and 2310.16076, written without the cell: four
// matrices, each rewritten by its own rate from the same state before the step.
#pragma once

#include <array>

#include "reference/reference.hpp"

namespace reference {

inline Array2 srwm(const rlt::CellConfig& config, const Parameters& parameters, const Array2& x) {
  const std::size_t d = static_cast<std::size_t>(config.head_size());
  const Array2 mixed = per_head(config, x, d, [&](std::size_t head, const Array2& slice) {
    std::array<Array2, 4> w;  // y, q, k, b
    const std::array<std::string, 4> names = {"y", "q", "k", "b"};
    for (std::size_t i = 0; i < 4; ++i) w[i] = parameters.head_matrix(names[i], head);
    Array2 y = xt::zeros<double>({x.shape()[0], d});
    for (std::size_t t = 0; t < x.shape()[0]; ++t) {
      const Vector in = xt::view(slice, t);
      const Vector out = read(w[0], in);
      const Vector q = softmax(read(w[1], in));
      const Vector k = softmax(read(w[2], in));
      const Vector beta = sigmoid(read(w[3], in));
      xt::view(y, t) = out;
      for (std::size_t i = 0; i < 4; ++i) {
        const Vector change = beta(i) * (read(w[i], q) - read(w[i], k));
        const Array2 written = outer(k, change);
        w[i] += written;
      }
    }
    return y;
  });
  return xt::linalg::dot(mixed, parameters.matrix("out.weight"));
}

}  // namespace reference
