// What the gated linear cells (agalite, galite) are made of, over the features of one head at one step:
//   trace     z_t = z_{t-1} + g_t (w_t x_t - z_{t-1})      element-wise gate g, one wave w for all
//   features  out[n d + j] = a[n] b[j]                      outer product of a (n) and b (d)
#pragma once

#include <algorithm>

#include "tensor/activation.hpp"

namespace rlt::gated {

/// body(j, n) at every vector of `count` numbers: those from j on, of which n count.
template <typename T, typename Body>
void for_lanes(Index count, const Body& body) {
  for (Index j = 0; j < count; j += lane_count<T>) body(j, count - j);
}

template <typename T>
T dot(Index count, const T* a, const T* b) {
  Lanes<T> sum(T(0));
  for_lanes<T>(count, [&](Index j, Index n) {
    sum = xsimd::fma(load_lanes(a + j, n), load_lanes(b + j, n), sum);
  });
  return xsimd::hadd(sum);
}

/// y += scale x
template <typename T>
void add_scaled(Index count, T scale, const T* x, T* y) {
  for_lanes<T>(count, [&](Index j, Index n) {
    store_lanes(y + j, xsimd::fma(Lanes<T>(scale), load_lanes(x + j, n), load_lanes(y + j, n)), n);
  });
}

/// after = before + gate (wave x - before); `after` may be `before`.
template <typename T>
void write_trace(Index count, const T* gate, const T* x, T wave, const T* before, T* after) {
  for_lanes<T>(count, [&](Index j, Index n) {
    const Lanes<T> z = load_lanes(before + j, n);
    const Lanes<T> change = xsimd::fma(Lanes<T>(wave), load_lanes(x + j, n), -z);
    store_lanes(after + j, xsimd::fma(load_lanes(gate + j, n), change, z), n);
  });
}

/// dz is the gradient after the step on entry, before it on return; adds to dgate and dx.
template <typename T>
void write_trace_backward(Index count, const T* gate, const T* x, T wave, const T* before, T* dz,
                          T* dgate, T* dx) {
  for_lanes<T>(count, [&](Index j, Index n) {
    const Lanes<T> w(wave);
    const Lanes<T> above = load_lanes(dz + j, n);
    const Lanes<T> gated = load_lanes(gate + j, n) * above;
    // z_t = z_{t-1} + g (w x - z_{t-1})
    const Lanes<T> change = xsimd::fma(w, load_lanes(x + j, n), -load_lanes(before + j, n));
    store_lanes(dgate + j, xsimd::fma(above, change, load_lanes(dgate + j, n)), n);
    store_lanes(dx + j, xsimd::fma(w, gated, load_lanes(dx + j, n)), n);
    store_lanes(dz + j, above - gated, n);
  });
}

/// out (count_a, count_b) = a b^T
template <typename T>
void outer(Index count_a, Index count_b, const T* a, const T* b, T* out) {
  for (Index i = 0; i < count_a; ++i) {
    for_lanes<T>(count_b, [&](Index j, Index n) {
      store_lanes(out + i * count_b + j, a[i] * load_lanes(b + j, n), n);
    });
  }
}

/// Overwrites da and db.
template <typename T>
void outer_backward(Index count_a, Index count_b, const T* a, const T* b, const T* dout, T* da,
                    T* db) {
  std::fill_n(db, count_b, T(0));
  for (Index i = 0; i < count_a; ++i) {
    // out = a b^T
    da[i] = dot(count_b, b, dout + i * count_b);
    add_scaled(count_b, a[i], dout + i * count_b, db);
  }
}

/// a <- relu(a), and da from the gradient of the result.
template <typename T>
void relu(Index count, T* a) {
  for_lanes<T>(count, [&](Index j, Index n) {
    store_lanes(a + j, xsimd::max(load_lanes(a + j, n), Lanes<T>(T(0))), n);
  });
}
template <typename T>
void relu_backward(Index count, const T* result, T* da) {
  for_lanes<T>(count, [&](Index j, Index n) {
    const Lanes<T> zero(T(0));
    store_lanes(da + j,
                xsimd::select(load_lanes(result + j, n) > zero, load_lanes(da + j, n), zero), n);
  });
}

/// a <- sigmoid(a), and da from the gradient of the result.
template <typename T>
void sigmoid(Index count, T* a) {
  for_lanes<T>(count, [&](Index j, Index n) {
    store_lanes(a + j, rlt::sigmoid<T>(load_lanes(a + j, n)), n);
  });
}
template <typename T>
void sigmoid_backward(Index count, const T* result, T* da) {
  for_lanes<T>(count, [&](Index j, Index n) {
    const Lanes<T> s = load_lanes(result + j, n);
    store_lanes(da + j, load_lanes(da + j, n) * s * (T(1) - s), n);
  });
}

}  // namespace rlt::gated
