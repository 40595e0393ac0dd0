// Reference of linear from the equations of arXiv 2310.16076, its normaliser from arXiv 2006.16236, written
// without the cell.
#pragma once

#include "reference/feature_map.hpp"

namespace reference {

inline Array2 linear(const rlt::CellConfig& config, const Parameters& parameters, const Array2& x) {
  const std::size_t d = static_cast<std::size_t>(config.head_size());
  const bool normalizes = config.text("normalizer") == "on";
  const Array2 a = xt::linalg::dot(x, parameters.matrix("slow.weight"));
  const Array2 mixed = per_head(config, a, 3 * d, [&](std::size_t head, const Array2& slow) {
    const Features features(config, head);
    Array2 w = xt::zeros<double>({features.size(), d});
    Vector z = xt::zeros<double>({features.size()});
    Array2 y = xt::zeros<double>({x.shape()[0], d});
    for (std::size_t t = 0; t < x.shape()[0]; ++t) {
      const Vector q = features(xt::view(slow, t, xt::range(0, d)));
      const Vector k = features(xt::view(slow, t, xt::range(d, 2 * d)));
      const Vector v = xt::view(slow, t, xt::range(2 * d, 3 * d));
      w += outer(k, v);
      z += k;
      const double divisor = normalizes ? xt::sum(z * q)() + 1e-5 : 1;
      const Vector out = read(w, q) * (output_scale(config) / divisor);
      xt::view(y, t) = out;
    }
    return y;
  });
  return xt::linalg::dot(mixed, parameters.matrix("out.weight"));
}

}  // namespace reference
