// arXiv 2203.07852, one sequence from its start: each step sees exactly W steps before it; those before the start are
// keys and values of zeros, which take part in the softmax.
#pragma once

#include <cmath>

#include "reference/reference.hpp"

namespace reference {

inline Array2 columns(const Array2& a, std::size_t first, std::size_t count) {
  const Array2 part = xt::view(a, xt::all(), xt::range(first, first + count));
  return part;
}

/// Every head of every row divided by sqrt(its squares + 1e-6).
inline Array2 unit_heads(const rlt::CellConfig& config, const Array2& a) {
  const std::size_t d = static_cast<std::size_t>(config.head_size());
  Array2 y = a;
  for (std::size_t r = 0; r < a.shape()[0]; ++r) {
    for (std::size_t first = 0; first < a.shape()[1]; first += d) {
      double square = 0;
      for (std::size_t c = first; c < first + d; ++c) square += a(r, c) * a(r, c);
      for (std::size_t c = first; c < first + d; ++c) y(r, c) = a(r, c) / std::sqrt(square + 1e-6);
    }
  }
  return y;
}

/// softmax with one more element of logit -1000 and value 0
inline Vector softmax_beside(const Vector& scores) {
  const double largest = std::max(xt::amax(scores)(), -1000.0);
  const Vector powers = xt::exp(scores - largest);
  const double sum = xt::sum(powers)() + std::exp(-1000 - largest);
  return powers / sum;
}

/// Every row of q reads all keys, head by head.
inline Array2 attend(const rlt::CellConfig& config, const Array2& q, const Array2& k,
                     const Array2& v, const Vector& alpha) {
  const std::size_t d = static_cast<std::size_t>(config.head_size());
  Array2 read = xt::zeros<double>({q.shape()[0], q.shape()[1]});
  for (std::size_t i = 0; i < q.shape()[0]; ++i) {
    for (std::size_t first = 0; first < q.shape()[1]; first += d) {
      Vector scores = xt::zeros<double>({k.shape()[0]});
      for (std::size_t j = 0; j < k.shape()[0]; ++j) {
        for (std::size_t c = first; c < first + d; ++c) scores(j) += q(i, c) * k(j, c);
        scores(j) *= std::abs(alpha(first / d));
      }
      const Vector weights = softmax_beside(scores);
      for (std::size_t j = 0; j < k.shape()[0]; ++j) {
        for (std::size_t c = first; c < first + d; ++c) read(i, c) += weights(j) * v(j, c);
      }
    }
  }
  return read;
}

/// T5: distances below 16 have a bucket each; from 16 on, the first distances of the others.
inline std::size_t bucket_of(std::size_t distance) {
  constexpr std::size_t first[] = {16, 19, 21, 24, 27, 31, 35, 40, 46, 52, 59, 67, 77, 87, 99, 113};
  if (distance < 16) return distance;
  std::size_t bucket = 15;
  for (const std::size_t begin : first) bucket += distance >= begin ? 1 : 0;
  return bucket;
}

/// What the window gives, from q | k | v in the first columns of `projected`, before the output matrix.
inline Array2 window_reads(const rlt::CellConfig& config, const Parameters& p,
                           const Array2& projected) {
  const std::size_t steps = projected.shape()[0];
  const std::size_t width = static_cast<std::size_t>(config.d_model);
  const std::size_t d = static_cast<std::size_t>(config.head_size());
  const std::size_t window = static_cast<std::size_t>(config.count("window"));
  const Array2 q = unit_heads(config, columns(projected, 0, width));
  const Array2 k = unit_heads(config, columns(projected, width, width));
  const Array2 v = columns(projected, 2 * width, width);
  const Vector alpha = p.vector("scale");
  const Array2 table = p.matrix("distance");
  Array2 read = xt::zeros<double>({steps, width});
  for (std::size_t t = 0; t < steps; ++t) {
    for (std::size_t h = 0; h < width / d; ++h) {
      Vector scores = xt::zeros<double>({window});
      for (std::size_t distance = 1; distance <= window; ++distance) {
        double& score = scores(distance - 1);
        score = table(h, bucket_of(distance));
        for (std::size_t c = h * d; c < (h + 1) * d && distance <= t; ++c) {
          score += q(t, c) * k(t - distance, c);
        }
        score *= std::abs(alpha(h));
      }
      const Vector weights = softmax_beside(scores);
      for (std::size_t distance = 1; distance <= std::min(t, window); ++distance) {
        for (std::size_t c = h * d; c < (h + 1) * d; ++c) {
          read(t, c) += weights(distance - 1) * v(t - distance, c);
        }
      }
    }
  }
  return read;
}

inline Array2 sliding_window(const rlt::CellConfig& config, const Parameters& p, const Array2& x) {
  const Array2 projected = xt::linalg::dot(x, p.matrix("slow.weight"));
  return xt::linalg::dot(window_reads(config, p, projected), p.matrix("out.weight"));
}

}  // namespace reference
