// Reference of agalite from equations 34-36 of arXiv 2310.15719 with the frequencies of its official code, written
// without the cell: all r cosines, none shared, and a phase that counts without a period.
#pragma once

#include <cmath>
#include <numbers>

#include "reference/reference.hpp"

namespace reference {

/// a (n), b (d): entry n d + j of the result is a_n b_j.
inline Vector flat_outer(const Vector& a, const Vector& b) {
  Vector flat = xt::zeros<double>({a.size() * b.size()});
  for (std::size_t i = 0; i < flat.size(); ++i) flat(i) = a(i / b.size()) * b(i % b.size());
  return flat;
}
inline Vector relu(const Vector& a) { return xt::maximum(a, 0.0); }
inline double dot(const Vector& a, const Vector& b) { return xt::sum(a * b)(); }

/// What the recurrence of one head reads at one step.
struct GatedStep {
  Vector key, query, value, beta, gamma, p1, p2, p3;
};

/// `phase`: of the step before the first.
inline Array2 agalite_head(const std::vector<GatedStep>& steps, std::size_t r, double phase = 1) {
  const std::size_t d = steps[0].key.size();
  const std::size_t f = d * steps[0].p1.size();
  std::vector<Vector> k(r, xt::zeros<double>({f}));
  std::vector<Vector> v(r, xt::zeros<double>({d}));
  Vector s = xt::zeros<double>({f});
  Array2 o = xt::zeros<double>({steps.size(), d});
  for (std::size_t t = 0; t < steps.size(); ++t) {
    const GatedStep& in = steps[t];
    const Vector keys = flat_outer(relu(in.p1), relu(in.key));
    const Vector queries = flat_outer(relu(in.p2), relu(in.query));
    const Vector gates = flat_outer(sigmoid(in.p3), sigmoid(in.gamma));
    const Vector beta = sigmoid(in.beta);
    const double n = phase + 1 + static_cast<double>(t);
    Vector sum = xt::zeros<double>({d});
    for (std::size_t i = 0; i < r; ++i) {
      const double step = r == 1 ? 0 : 2 * std::numbers::pi / static_cast<double>(r - 1);
      const double wave = std::cos(n * (step * static_cast<double>(i) - std::numbers::pi));
      const Vector k_next = (1.0 - gates) * k[i] + wave * gates * keys;
      const Vector v_next = (1.0 - beta) * v[i] + wave * beta * in.value;
      k[i] = k_next;
      v[i] = v_next;
      sum += dot(k[i], queries) * v[i];
    }
    const Vector s_next = (1.0 - gates) * s + gates * keys;
    s = s_next;
    const Vector out = sum / (2 * static_cast<double>(r) * dot(s, queries) + 1e-5);
    xt::view(o, t) = out;
  }
  return o;
}

inline std::size_t gated_head_size(const rlt::CellConfig& config) {
  const std::size_t chosen = static_cast<std::size_t>(config.count("head_size"));
  return chosen == 0 ? static_cast<std::size_t>(config.head_size()) : chosen;
}

inline Array2 agalite(const rlt::CellConfig& config, const Parameters& parameters,
                      const Array2& x) {
  const std::size_t d = gated_head_size(config);
  const std::size_t eta = static_cast<std::size_t>(config.count("eta"));
  const std::size_t heads = static_cast<std::size_t>(config.heads);
  Array2 slow = xt::linalg::dot(x, parameters.matrix("slow.weight"));
  slow += parameters.vector("slow.bias");
  Array2 factors = xt::linalg::dot(x, parameters.matrix("features.weight"));
  factors += parameters.vector("features.bias");
  Array2 joined = xt::zeros<double>({x.shape()[0], heads * d});
  for (std::size_t head = 0; head < heads; ++head) {
    std::vector<GatedStep> steps(x.shape()[0]);
    for (std::size_t t = 0; t < steps.size(); ++t) {
      const auto part = [&](const Array2& from, std::size_t at, std::size_t size) -> Vector {
        return xt::view(from, t, xt::range(at, at + size));
      };
      const std::size_t at = head * 5 * d;
      const std::size_t p = head * 3 * eta;
      steps[t] = {.key = part(slow, at, d),
                  .query = part(slow, at + d, d),
                  .value = part(slow, at + 2 * d, d),
                  .beta = part(slow, at + 3 * d, d),
                  .gamma = part(slow, at + 4 * d, d),
                  .p1 = part(factors, p, eta),
                  .p2 = part(factors, p + eta, eta),
                  .p3 = part(factors, p + 2 * eta, eta)};
    }
    const Array2 o = agalite_head(steps, static_cast<std::size_t>(config.count("r")));
    xt::view(joined, xt::all(), xt::range(head * d, (head + 1) * d)) = o;
  }
  Array2 y = xt::linalg::dot(joined, parameters.matrix("out.weight"));
  y += parameters.vector("out.bias");
  return y;
}

}  // namespace reference
