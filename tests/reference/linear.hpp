// Reference of linear from the equations of arXiv 2310.16076, written without the cell.
#pragma once

#include "reference/reference.hpp"

namespace reference {

inline Array2 linear(const rlt::CellConfig& config, const Parameters& parameters, const Array2& x) {
  const std::size_t d = static_cast<std::size_t>(config.head_size());
  const Array2 a = xt::linalg::dot(x, parameters.matrix("slow.weight"));
  const Array2 mixed = per_head(config, a, 3 * d, [&](std::size_t, const Array2& slow) {
    Array2 w = xt::zeros<double>({d, d});
    Array2 y = xt::zeros<double>({x.shape()[0], d});
    for (std::size_t t = 0; t < x.shape()[0]; ++t) {
      const Vector q = phi(xt::view(slow, t, xt::range(0, d)));
      const Vector k = phi(xt::view(slow, t, xt::range(d, 2 * d)));
      const Vector v = xt::view(slow, t, xt::range(2 * d, 3 * d));
      w += outer(k, v);
      const Vector out = read(w, q);
      xt::view(y, t) = out;
    }
    return y;
  });
  return xt::linalg::dot(mixed, parameters.matrix("out.weight"));
}

}  // namespace reference
