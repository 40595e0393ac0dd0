// Reference of delta_lstm from the equations of arXiv 2106.06295, written without the cell.
#pragma once

#include "reference/reference.hpp"

namespace reference {

inline Array2 delta_lstm(const rlt::CellConfig& config, const Parameters& parameters,
                         const Array2& x) {
  const std::size_t d = static_cast<std::size_t>(config.head_size());
  const int version = static_cast<int>(config.number("version"));
  const double scale = config.text("scale") == "rsqrt" ? 1 / std::sqrt(static_cast<double>(d)) : 1;
  const Array2 a = xt::linalg::dot(x, parameters.matrix("slow.weight"));
  enum Gate : std::size_t { input, update, output, gates };
  const std::size_t size = 5 * d + 2;  // q, k, v, k', v', beta, beta' of a gate
  const Array2 mixed = per_head(config, a, gates * size, [&](std::size_t, const Array2& slow) {
    Array2 w[gates];
    Array2 r[gates];
    for (std::size_t g = 0; g < gates; ++g) w[g] = r[g] = xt::zeros<double>({d, d});
    Array2 out = xt::zeros<double>({x.shape()[0], d});
    Vector c = xt::zeros<double>({d});
    Vector h = xt::zeros<double>({d});
    if (version == 1) h.fill(1.0 / static_cast<double>(d));
    for (std::size_t t = 0; t < x.shape()[0]; ++t) {
      const Vector s = version == 1 ? h : softmax(h);
      Vector z[gates];
      Vector total[gates];
      for (std::size_t g = 0; g < gates; ++g) {
        const auto part = [&](std::size_t i) -> Vector {
          return xt::view(slow, t, xt::range(g * size + i * d, g * size + (i + 1) * d));
        };
        const Vector q = sum_normalized(phi(part(0)));
        const Vector k = sum_normalized(phi(part(1)));
        const Vector v = part(2);
        const Vector recurrent_k = softmax(part(3));
        const Vector recurrent_v = part(4);
        const Vector change = sigmoid(slow(t, g * size + 5 * d)) * (v - read(w[g], k));
        w[g] += outer(k, change);
        const Vector recurrent_change =
            sigmoid(slow(t, g * size + 5 * d + 1)) * (recurrent_v - read(r[g], recurrent_k));
        r[g] += outer(recurrent_k, recurrent_change);
        z[g] = read(w[g], q);
        total[g] = z[g] + read(r[g], s);
      }
      const Vector i = sigmoid(total[input]);
      const Vector o = sigmoid(total[output]);
      const Vector u = version == 4 ? total[update] : sigmoid(total[update]);
      const Vector next = i * u + (1.0 - i) * c;
      c = next;
      const Vector gated = o * c;
      if (version == 1) {
        h = softmax(gated);
      } else if (version == 3) {
        h = gated + z[update];
      } else {
        h = gated;
      }
      xt::view(out, t) = scale * h;
    }
    return out;
  });
  return xt::linalg::dot(mixed, parameters.matrix("out.weight"));
}

}  // namespace reference
