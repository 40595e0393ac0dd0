// Reference of delta_mlp from the equations of arXiv 2106.06295, written without the cell.
#pragma once

#include "reference/feature_map.hpp"

namespace reference {

inline Array2 delta_mlp(const rlt::CellConfig& config, const Parameters& parameters,
                        const Array2& x) {
  const std::size_t d = static_cast<std::size_t>(config.head_size());
  const std::size_t f = 4 * d;
  const std::size_t depth = std::stoul(config.text("depth"));
  const std::size_t steps = x.shape()[0];
  const auto key = [](const Vector& a) -> Vector {
    const Vector p = phi(a);
    const double sum = xt::sum(p)() + 1e-5;
    return p / sum;
  };
  const auto rewrite = [](Array2& w, const Vector& k, const Vector& v, double beta) {
    const Vector change = beta * (v - read(w, k));
    w += outer(k, change);
  };
  const Array2 a = xt::linalg::dot(x, parameters.matrix("slow.weight"));
  const std::size_t width = d + depth * (10 * d + 2);
  const Array2 mixed = per_head(config, a, width, [&](std::size_t, const Array2& slow) {
    Array2 q = xt::view(slow, xt::all(), xt::range(0, d));
    for (std::size_t block = 0; block < depth; ++block) {
      const std::string norm = "norm." + std::to_string(block);
      const Vector gain = parameters.vector(norm + ".gain");
      const Vector bias = parameters.vector(norm + ".bias");
      Array2 w1 = xt::zeros<double>({d, f});
      Array2 w2 = xt::zeros<double>({f, d});
      for (std::size_t t = 0; t < steps; ++t) {
        std::size_t from = d + block * (10 * d + 2);
        const auto next = [&](std::size_t count) -> Vector {
          const Vector part = xt::view(slow, t, xt::range(from, from + count));
          from += count;
          return part;
        };
        const Vector k1 = key(next(d));
        const Vector v1 = next(f);
        const Vector k2 = key(next(f));
        const Vector v2 = next(d);
        const Vector beta = sigmoid(next(2));
        const Vector query = xt::view(q, t);
        const double mean = xt::mean(query)();
        const Vector centered = query - mean;
        const double variance = xt::mean(centered * centered)();
        const Vector normal = gain * centered / std::sqrt(variance + 1e-5) + bias;
        rewrite(w1, k1, v1, beta(0));
        rewrite(w2, k2, v2, beta(1));
        const Vector hidden = read(w1, key(normal));
        const Vector out = query + read(w2, key(hidden));
        xt::view(q, t) = out;
      }
    }
    const Array2 y = q * output_scale(config);
    return y;
  });
  return xt::linalg::dot(mixed, parameters.matrix("out.weight"));
}

}  // namespace reference
