// Reference of aaren from the equations of arXiv 2405.13956: keys of every step, and for each query softmax over the
// keys so far, written out.
#pragma once

#include <cmath>

#include "reference/reference.hpp"

namespace reference {

/// x W + b with the parameters called `name`.
inline Array2 affine(const Parameters& parameters, const std::string& name, const Array2& x) {
  Array2 y = xt::linalg::dot(x, parameters.matrix(name + ".weight"));
  y += parameters.vector(name + ".bias");
  return y;
}

inline Array2 aaren(const rlt::CellConfig& config, const Parameters& parameters, const Array2& x) {
  const std::size_t steps = x.shape()[0];
  const std::size_t d = static_cast<std::size_t>(config.head_size());
  Array2 token = xt::zeros<double>({std::size_t{1}, x.shape()[1]});
  xt::view(token, 0) = parameters.vector("query");
  const Array2 q = affine(parameters, "query_map", token);
  const Array2 k = affine(parameters, "key", x);
  const Array2 v = affine(parameters, "value", x);
  Array2 o = xt::zeros<double>({steps, x.shape()[1]});
  for (std::size_t first = 0; first < x.shape()[1]; first += d) {
    for (std::size_t t = 0; t < steps; ++t) {
      Vector scores = xt::zeros<double>({t + 1});
      for (std::size_t i = 0; i <= t; ++i) {
        for (std::size_t j = first; j < first + d; ++j) scores(i) += q(0, j) * k(i, j);
      }
      const Vector scaled = scores / std::sqrt(static_cast<double>(d));
      const Vector weights = softmax(scaled);
      for (std::size_t i = 0; i <= t; ++i) {
        for (std::size_t j = first; j < first + d; ++j) o(t, j) += weights(i) * v(i, j);
      }
    }
  }
  return affine(parameters, "out", o);
}

}  // namespace reference
