// arXiv 2203.07852, one sequence from its start. Keys before the start are zeros, which take part in the softmax. Where
// the sequence is shorter than a whole number of blocks, the last block makes no update.
#pragma once

#include "reference/sliding_window.hpp"

namespace reference {

inline Array2 rms_rows(const Array2& x, const Vector& gain) {
  Array2 y = x;
  for (std::size_t r = 0; r < x.shape()[0]; ++r) {
    double square = 0;
    for (std::size_t c = 0; c < x.shape()[1]; ++c) square += x(r, c) * x(r, c);
    const double size = std::sqrt(square / static_cast<double>(x.shape()[1]) + 1e-6);
    for (std::size_t c = 0; c < x.shape()[1]; ++c) y(r, c) = x(r, c) / size * gain(c);
  }
  return y;
}

inline Array2 relu_rows(Array2 x) {
  for (double& value : x) value = std::max(value, 0.0);
  return x;
}

inline Array2 beside(const Array2& a, const Array2& b) {
  const std::size_t width = a.shape()[1];
  Array2 joined = xt::zeros<double>({a.shape()[0], width + b.shape()[1]});
  xt::view(joined, xt::all(), xt::range(std::size_t{0}, width)) = a;
  xt::view(joined, xt::all(), xt::range(width, width + b.shape()[1])) = b;
  return joined;
}

/// New value of the states: c old, z candidate, h what the gate reads.
inline Array2 gated(const std::string& kind, const Parameters& p, const std::string& name,
                    const Array2& c, const Array2& z, const Array2& h) {
  const std::size_t width = c.shape()[1];
  const Vector bias = p.vector(name + ".bias");
  Array2 next = c;
  for (std::size_t r = 0; r < c.shape()[0]; ++r) {
    for (std::size_t i = 0; i < width; ++i) {
      double f = bias(i);
      double in = 0;
      if (kind != "fixed") {
        const Array2 weight = p.matrix(name + ".weight");
        f += 1;
        for (std::size_t j = 0; j < h.shape()[1]; ++j) f += h(r, j) * weight(j, i);
        if (kind == "lstm") {
          in = bias(width + i) - 1;
          for (std::size_t j = 0; j < h.shape()[1]; ++j) in += h(r, j) * weight(j, width + i);
        }
      }
      f = sigmoid(f);
      next(r, i) = f * c(r, i) + (kind == "lstm" ? sigmoid(in) : 1 - f) * z(r, i);
    }
  }
  return next;
}

inline Array2 next_state(const rlt::CellConfig& config, const Parameters& p, const Array2& c,
                         const Array2& read) {
  const std::string& kind = config.text("gate");
  const std::string& form = config.text("configuration");
  if (form == "single") {
    const Array2 h = relu_rows(xt::linalg::dot(read, p.matrix("state.ff.up.weight")));
    const Array2 z = xt::tanh(xt::linalg::dot(h, p.matrix("state.ff.down.weight")));
    return gated(kind, p, "state.ff.gate", c, z, h);
  }
  const Array2 z = xt::linalg::dot(read, p.matrix("state.out.weight"));
  const Array2 middle = gated(kind, p, "state.gate", c, z, read);
  if (form == "skip") return middle;
  const Array2 normal = rms_rows(middle, p.vector("state.ff.norm.gain"));
  const Array2 h = relu_rows(xt::linalg::dot(normal, p.matrix("state.ff.up.weight")));
  const Array2 z2 = xt::linalg::dot(h, p.matrix("state.ff.down.weight"));
  return gated(kind, p, "state.ff.gate", middle, z2, h);
}

inline Array2 block_recurrent(const rlt::CellConfig& config, const Parameters& p, const Array2& x) {
  const std::size_t steps = x.shape()[0];
  const std::size_t width = x.shape()[1];
  const std::size_t window = static_cast<std::size_t>(config.count("window"));
  const Array2 projected = xt::linalg::dot(x, p.matrix("slow.weight"));
  const Array2 k = unit_heads(config, columns(projected, width, width));
  const Array2 v = columns(projected, 2 * width, width);
  const Array2 q2 = unit_heads(config, columns(projected, 3 * width, width));
  const Array2 own = window_reads(config, p, projected);
  Array2 other = xt::zeros<double>({steps, width});
  Array2 c = p.matrix("state.initial");
  for (std::size_t first = 0; first < steps; first += window) {
    const std::size_t end = std::min(steps, first + window);
    const Array2 u = rms_rows(c, p.vector("state.norm.gain")) + p.matrix("state.ids");
    const Array2 states = xt::linalg::dot(u, p.matrix("state.slow.weight"));
    const Array2 state_q = unit_heads(config, columns(states, 0, width));
    const Array2 state_k = unit_heads(config, columns(states, width, width));
    const Array2 state_v = columns(states, 2 * width, width);
    const Array2 state_q2 = unit_heads(config, columns(states, 3 * width, width));
    const Array2 asking = xt::view(q2, xt::range(first, end));
    const Array2 read = attend(config, asking, state_k, state_v, p.vector("read_scale"));
    xt::view(other, xt::range(first, end)) = read;
    if (end - first < window) break;
    Array2 tile_k = xt::zeros<double>({2 * window, width});
    Array2 tile_v = xt::zeros<double>({2 * window, width});
    for (std::size_t i = 0; i < 2 * window; ++i) {
      if (end + i < 2 * window) continue;  // before the start
      xt::view(tile_k, i) = xt::view(k, end + i - 2 * window);
      xt::view(tile_v, i) = xt::view(v, end + i - 2 * window);
    }
    const Array2 z1 = attend(config, state_q, state_k, state_v, p.vector("state.self_scale"));
    const Array2 z2 = attend(config, state_q2, tile_k, tile_v, p.vector("state.token_scale"));
    const Array2 next = next_state(config, p, c, beside(z1, z2));
    c = next;
  }
  return xt::linalg::dot(beside(own, other), p.matrix("out.weight"));
}

}  // namespace reference
