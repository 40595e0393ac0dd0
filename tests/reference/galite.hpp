// Reference of galite from Algorithm 3 of arXiv 2310.15719 and its official code, written without the cell: every
// entry of C by itself, features in the official order (h major), and the matrices of each use cut apart.
#pragma once

#include "reference/agalite.hpp"

namespace reference {

inline Array2 galite(const rlt::CellConfig& config, const Parameters& parameters, const Array2& x) {
  const std::size_t d = gated_head_size(config);
  const std::size_t nu = static_cast<std::size_t>(config.count("nu"));
  const std::size_t heads = static_cast<std::size_t>(config.heads);
  const bool factored = config.text("decay") == "factored";
  const Array2 slow = parameters.matrix("slow.weight");
  const Vector slow_bias = parameters.vector("slow.bias");
  Array2 joined = xt::zeros<double>({x.shape()[0], heads * d});
  for (std::size_t head = 0; head < heads; ++head) {
    const std::string name = "query." + std::to_string(head);
    const Array2 query_weight = parameters.matrix(name + ".weight");
    const Vector query_bias = parameters.vector(name + ".bias");
    // columns of the matrix of one use: 5 d for each head, then 2 nu for each head
    const auto dense = [&](const Vector& in, std::size_t first, std::size_t size) -> Vector {
      const Array2 weight = xt::view(slow, xt::all(), xt::range(first, first + size));
      const Vector bias = xt::view(slow_bias, xt::range(first, first + size));
      const Vector product = xt::linalg::dot(in, weight);
      return product + bias;
    };
    const std::size_t wide = head * 5 * d;
    const std::size_t narrow = heads * 5 * d + head * 2 * nu;
    Array2 c = xt::zeros<double>({d, d * nu});
    Vector s = xt::zeros<double>({d * nu});
    for (std::size_t t = 0; t < x.shape()[0]; ++t) {
      const Vector token = xt::view(x, t);
      const Vector value = dense(token, wide, d);
      const Vector beta = sigmoid(dense(token, wide + d, d));
      const Vector gates = flat_outer(sigmoid(dense(token, wide + 2 * d, d)),
                                      sigmoid(dense(token, narrow + nu, nu)));
      const Vector keys =
          flat_outer(relu(dense(token, wide + 3 * d, d)), relu(dense(token, narrow, nu)));
      const Vector pre = dense(token, wide + 4 * d, d);
      const Vector product = xt::linalg::dot(pre, query_weight);
      const Vector both = relu(Vector(product + query_bias));
      const Vector queries =
          flat_outer(xt::view(both, xt::range(0, d)), xt::view(both, xt::range(d, d + nu)));
      double denominator = 1e-10;
      for (std::size_t m = 0; m < d * nu; ++m) {
        s(m) = (1 - gates(m)) * s(m) + gates(m) * keys(m);
        denominator += s(m) * queries(m);
      }
      for (std::size_t i = 0; i < d; ++i) {
        double sum = 0;
        for (std::size_t m = 0; m < d * nu; ++m) {
          const double write = beta(i) * gates(m);
          const double keep = factored ? (1 - beta(i)) * (1 - gates(m)) : 1 - write;
          c(i, m) = keep * c(i, m) + write * value(i) * keys(m);
          sum += c(i, m) * queries(m);
        }
        joined(t, head * d + i) = sum / denominator;
      }
    }
  }
  Array2 y = xt::linalg::dot(joined, parameters.matrix("out.weight"));
  y += parameters.vector("out.bias");
  return y;
}

}  // namespace reference
