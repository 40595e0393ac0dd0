// Reference of transformer from arXiv 1706.03762, section 3.2, with the positions of arXiv 2108.12409 and
// 2104.09864, written without the cell.
#pragma once

#include <cmath>

#include "reference/reference.hpp"

namespace reference {

/// The rotation of RoFormer's equation 15 as one (d, d) matrix.
inline Array2 rotation(std::size_t position, std::size_t d) {
  Array2 r = xt::eye<double>(d);
  for (std::size_t i = 0; 2 * i + 1 < d; ++i) {
    const double power = 2.0 * static_cast<double>(i) / static_cast<double>(d);
    const double angle = static_cast<double>(position) / std::pow(10000.0, power);
    r(2 * i, 2 * i) = r(2 * i + 1, 2 * i + 1) = std::cos(angle);
    r(2 * i, 2 * i + 1) = -std::sin(angle);
    r(2 * i + 1, 2 * i) = std::sin(angle);
  }
  return r;
}

/// softmax(Q K^T / sqrt(d)) V for each head; projected (T, 3 D) holds Q | K | V.
inline Array2 causal_attention(const rlt::CellConfig& config, const Array2& projected) {
  const std::size_t d = static_cast<std::size_t>(config.head_size());
  const std::size_t width = static_cast<std::size_t>(config.d_model);
  const std::size_t steps = projected.shape()[0];
  const Array2 queries = xt::view(projected, xt::all(), xt::range(0, width));
  return per_head(config, queries, d, [&](std::size_t head, const Array2& slice) {
    const std::size_t at = width + head * d;
    Array2 q = slice;
    Array2 k = xt::view(projected, xt::all(), xt::range(at, at + d));
    const Array2 v = xt::view(projected, xt::all(), xt::range(at + width, at + width + d));
    if (config.positions == rlt::Positions::rotary) {
      for (std::size_t t = 0; t < steps; ++t) {
        const Array2 r = rotation(t, d);
        const Vector turned_q = xt::linalg::dot(r, Vector(xt::row(q, static_cast<int>(t))));
        const Vector turned_k = xt::linalg::dot(r, Vector(xt::row(k, static_cast<int>(t))));
        xt::view(q, t) = turned_q;
        xt::view(k, t) = turned_k;
      }
    }
    Array2 y = xt::zeros<double>({steps, d});
    for (std::size_t t = 0; t < steps; ++t) {
      Vector scores = xt::zeros<double>({t + 1});
      for (std::size_t j = 0; j <= t; ++j) {
        const double product =
            xt::sum(xt::row(q, static_cast<int>(t)) * xt::row(k, static_cast<int>(j)))();
        scores(j) = product / std::sqrt(static_cast<double>(d));
        if (config.positions == rlt::Positions::alibi) {
          const double slope = std::pow(
              2.0, -8.0 * static_cast<double>(head + 1) / static_cast<double>(config.heads));
          scores(j) -= slope * static_cast<double>(t - j);
        }
      }
      const Vector weights = softmax(scores);
      const Array2 seen = xt::view(v, xt::range(0, t + 1), xt::all());
      const Vector out = xt::linalg::dot(weights, seen);
      xt::view(y, t) = out;
    }
    return y;
  });
}

inline Array2 transformer(const rlt::CellConfig& config, const Parameters& parameters,
                          const Array2& x) {
  Array2 projected = xt::linalg::dot(x, parameters.matrix("slow.weight"));
  projected += parameters.vector("slow.bias");
  Array2 y = xt::linalg::dot(causal_attention(config, projected), parameters.matrix("out.weight"));
  y += parameters.vector("out.bias");
  return y;
}

}  // namespace reference
