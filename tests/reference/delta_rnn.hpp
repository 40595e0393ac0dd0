// Reference of delta_rnn from the equations of arXiv 2106.06295, written without the cell.
#pragma once

#include "reference/reference.hpp"

namespace reference {

inline Array2 delta_rnn(const rlt::CellConfig& config, const Parameters& parameters,
                        const Array2& x) {
  const std::size_t d = static_cast<std::size_t>(config.head_size());
  const bool second = config.text("version") == "2";
  const double scale = config.text("scale") == "rsqrt" ? 1 / std::sqrt(static_cast<double>(d)) : 1;
  const Array2 a = xt::linalg::dot(x, parameters.matrix("slow.weight"));
  const auto feature = [&](const Vector& part) -> Vector {
    return second ? sum_normalized(phi(part)) : softmax(part);
  };
  const Array2 mixed = per_head(config, a, 5 * d + 2, [&](std::size_t, const Array2& slow) {
    Array2 w = xt::zeros<double>({d, d});
    Array2 r = xt::zeros<double>({d, d});
    Array2 out = xt::zeros<double>({x.shape()[0], d});
    Vector y = xt::zeros<double>({d});
    if (!second) y.fill(1.0 / static_cast<double>(d));
    for (std::size_t t = 0; t < x.shape()[0]; ++t) {
      const auto part = [&](std::size_t i) -> Vector {
        return xt::view(slow, t, xt::range(i * d, (i + 1) * d));
      };
      const Vector q = feature(part(0));
      const Vector k = feature(part(1));
      const Vector v = part(2);
      const Vector recurrent_k = softmax(part(3));
      const Vector recurrent_v = part(4);
      const Vector change = sigmoid(slow(t, 5 * d)) * (v - read(w, k));
      w += outer(k, change);
      const Vector recurrent_change =
          sigmoid(slow(t, 5 * d + 1)) * (recurrent_v - read(r, recurrent_k));
      r += outer(recurrent_k, recurrent_change);
      const Vector fed_back = second ? softmax(y) : y;
      const Vector sum = read(w, q) + read(r, fed_back);
      y = second ? sum : softmax(sum);
      xt::view(out, t) = scale * y;
    }
    return out;
  });
  return xt::linalg::dot(mixed, parameters.matrix("out.weight"));
}

}  // namespace reference
