// Reference of gtrxl from arXiv 1901.02860, section 3.3, and 1910.06764, written without the cell: a fresh
// sequence, so that no memory is seen, one query after the other.
#pragma once

#include <cmath>

#include "reference/reference.hpp"

namespace reference {

/// Rows (x - mean) / sqrt(variance + 1e-6), then gain and bias.
inline Array2 flax_norm(const Array2& x, const Vector& gain, const Vector& bias) {
  Array2 y = x;
  for (std::size_t t = 0; t < x.shape()[0]; ++t) {
    const Vector row = xt::view(x, t);
    const double mean = xt::mean(row)();
    const Vector centered = row - mean;
    const double variance = xt::mean(centered * centered)();
    const Vector normal = centered / std::sqrt(variance + 1e-6) * gain + bias;
    xt::view(y, t) = normal;
  }
  return y;
}

/// All sines of a distance, then all cosines.
inline Vector sines_and_cosines(double distance, std::size_t width) {
  Vector s = xt::zeros<double>({width});
  for (std::size_t c = 0; c < width / 2; ++c) {
    const double power = 2.0 * static_cast<double>(c) / static_cast<double>(width);
    s(c) = std::sin(distance / std::pow(10000.0, power));
    s(c + width / 2) = std::cos(distance / std::pow(10000.0, power));
  }
  return s;
}

inline Array2 gtrxl(const rlt::CellConfig& config, const Parameters& parameters, const Array2& x) {
  const auto dense = [&](const Array2& in, const std::string& name) {
    Array2 out = xt::linalg::dot(in, parameters.matrix(name + ".weight"));
    out += parameters.vector(name + ".bias");
    return out;
  };
  const std::size_t width = x.shape()[1];
  const std::size_t steps = x.shape()[0];
  const std::size_t heads = static_cast<std::size_t>(config.heads);
  const double chosen = config.number("head_size");
  const std::size_t d = chosen > 0 ? static_cast<std::size_t>(chosen) : width / heads;
  const std::size_t reach = config.text("window") == "sliding"
                                ? static_cast<std::size_t>(config.number("memory"))
                                : steps;
  Array2 encodings = xt::zeros<double>({steps, width});
  for (std::size_t i = 0; i < steps; ++i) {
    const Vector row = sines_and_cosines(static_cast<double>(i), width);
    xt::view(encodings, i) = row;
  }
  const Array2 normal =
      flax_norm(x, parameters.vector("norm.gain"), parameters.vector("norm.bias"));
  const Array2 keys_values = dense(normal, "key_value");
  const Array2 queries = dense(x, "query");
  const Array2 positions = dense(encodings, "position");
  // Columns of one head.
  const auto slice = [&](const Array2& all, std::size_t head) {
    const Array2 part = xt::view(all, xt::all(), xt::range(head * d, (head + 1) * d));
    return part;
  };
  Array2 mixed = xt::zeros<double>({steps, heads * d});
  for (std::size_t h = 0; h < heads; ++h) {
    const Array2 q = slice(queries, h);
    const Array2 k = slice(keys_values, h);
    const Array2 values = slice(keys_values, heads + h);
    const Array2 r = slice(positions, h);
    const Vector u = parameters.head_vector("gtrxl.u", h);
    const Vector v = parameters.head_vector("gtrxl.v", h);
    for (std::size_t t = 0; t < steps; ++t) {
      const std::size_t first = t > reach ? t - reach : 0;
      const Vector with_u = xt::view(q, t) + u;
      const Vector with_v = xt::view(q, t) + v;
      Vector scores = xt::zeros<double>({t + 1 - first});
      for (std::size_t j = first; j <= t; ++j) {
        const double content = xt::sum(with_u * xt::view(k, j))();
        const double position = xt::sum(with_v * xt::view(r, t - j))();
        scores(j - first) = (content + position) / std::sqrt(static_cast<double>(d));
      }
      const Vector weights = softmax(scores);
      for (std::size_t j = first; j <= t; ++j) {
        for (std::size_t c = 0; c < d; ++c)
          mixed(t, h * d + c) += weights(j - first) * values(j, c);
      }
    }
  }
  return dense(mixed, "out");
}

}  // namespace reference
