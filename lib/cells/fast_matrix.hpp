// Products with a fast weight matrix W[e][m] (e key index, m value index, row-major), one matrix a lane.
// Loops are blocked so that sums stay in registers. A weight may also be a plain number shared by all
// lanes (slow recurrent weights): `Weight` is Lanes<T> or T.
#pragma once

#include "tensor/lanes.hpp"

namespace rlt::fast_matrix {

inline constexpr Index block = 8;  // sums held in registers at once

/// body.operator()<width>(first) over blocks of `block`, then one by one.
template <typename Body>
void for_blocks(Index count, const Body& body) {
  Index first = 0;
  for (; first + block <= count; first += block) body.template operator()<block>(first);
  for (; first < count; ++first) body.template operator()<1>(first);
}

/// y[m] += sum_e k[e] W[e][m], m in [0, cols). Read W^T k.
template <typename T, typename Weight>
void add_read(Index rows, Index cols, const Weight* w, const Lanes<T>* k, Lanes<T>* y) {
  const auto columns = [&]<Index width>(Index m) {
    Lanes<T> sum[width];
    for (Index j = 0; j < width; ++j) sum[j] = y[m + j];
    for (Index e = 0; e < rows; ++e) {
      for (Index j = 0; j < width; ++j)
        sum[j] = xsimd::fma(Lanes<T>(w[e * cols + m + j]), k[e], sum[j]);
    }
    for (Index j = 0; j < width; ++j) y[m + j] = sum[j];
  };
  for_blocks(cols, columns);
}

/// y[m] = W^T k and z[m] = W^T q in one pass over W.
template <typename T>
void read_two(Index rows, Index cols, const Lanes<T>* w, const Lanes<T>* k, const Lanes<T>* q,
              Lanes<T>* y, Lanes<T>* z) {
  const auto columns = [&]<Index width>(Index m) {
    Lanes<T> first[width];
    Lanes<T> second[width];
    for (Index j = 0; j < width; ++j) first[j] = second[j] = Lanes<T>(T(0));
    for (Index e = 0; e < rows; ++e) {
      for (Index j = 0; j < width; ++j) {
        const Lanes<T> weight = w[e * cols + m + j];
        first[j] = xsimd::fma(weight, k[e], first[j]);
        second[j] = xsimd::fma(weight, q[e], second[j]);
      }
    }
    for (Index j = 0; j < width; ++j) {
      y[m + j] = first[j];
      z[m + j] = second[j];
    }
  };
  for_blocks(cols, columns);
}

/// next[e][m] = W[e][m] + k[e] beta u[m]; `next` may be W itself.
template <typename T>
void write_scaled(Index rows, Index cols, const Lanes<T>* w, const Lanes<T>* k,
                  const Lanes<T>& beta, const Lanes<T>* u, Lanes<T>* next) {
  const auto columns = [&]<Index width>(Index m) {
    Lanes<T> value[width];
    for (Index j = 0; j < width; ++j) value[j] = beta * u[m + j];
    for (Index e = 0; e < rows; ++e) {
      for (Index j = 0; j < width; ++j) {
        next[e * cols + m + j] = xsimd::fma(k[e], value[j], w[e * cols + m + j]);
      }
    }
  };
  for_blocks(cols, columns);
}

/// y[e] += sum_m W[e][m] g[m], e in [0, rows). The transposed product, for gradients.
template <typename T, typename Weight>
void add_read_transposed(Index rows, Index cols, const Weight* w, const Lanes<T>* g, Lanes<T>* y) {
  const auto some_rows = [&]<Index height>(Index e) {
    Lanes<T> sum[height];
    for (Index j = 0; j < height; ++j) sum[j] = y[e + j];
    for (Index m = 0; m < cols; ++m) {
      for (Index j = 0; j < height; ++j) {
        sum[j] = xsimd::fma(Lanes<T>(w[(e + j) * cols + m]), g[m], sum[j]);
      }
    }
    for (Index j = 0; j < height; ++j) y[e + j] = sum[j];
  };
  for_blocks(rows, some_rows);
}

/// a[m] = sum_e G[e][m] k[e] and dk[e] = sum_m G[e][m] c[m] in one pass over G; entry(e, m) gives G[e][m],
/// and may change it first.
template <typename T, typename Entry>
void read_both(Index rows, Index cols, const Entry& entry, const Lanes<T>* k, const Lanes<T>* c,
               Lanes<T>* a, Lanes<T>* dk) {
  for (Index e = 0; e < rows; ++e) dk[e] = Lanes<T>(T(0));
  const auto columns = [&]<Index width>(Index m) {
    Lanes<T> sum[width];
    for (Index j = 0; j < width; ++j) sum[j] = Lanes<T>(T(0));
    for (Index e = 0; e < rows; ++e) {
      Lanes<T> even(T(0));
      Lanes<T> odd(T(0));
      for (Index j = 0; j < width; ++j) {
        const Lanes<T> value = entry(e, m + j);
        sum[j] = xsimd::fma(k[e], value, sum[j]);
        Lanes<T>& row = j % 2 == 0 ? even : odd;
        row = xsimd::fma(c[m + j], value, row);
      }
      dk[e] += even + odd;
    }
    for (Index j = 0; j < width; ++j) a[m + j] = sum[j];
  };
  for_blocks(cols, columns);
}

/// Gradient through y = W^T q with dy = g, and then through W = W' + k u^T, in one pass over G = dL/dW:
/// G += q g^T;   a[m] = sum_e G[e][m] k[e] (so du = a);   dk[e] = sum_m G[e][m] u[m].
template <typename T>
void read_write_backward(Index rows, Index cols, Lanes<T>* gradient, const Lanes<T>* q,
                         const Lanes<T>* g, const Lanes<T>* k, const Lanes<T>* u, Lanes<T>* a,
                         Lanes<T>* dk) {
  const auto updated = [&](Index e, Index m) {
    Lanes<T>& entry = gradient[e * cols + m];
    return entry = xsimd::fma(q[e], g[m], entry);
  };
  read_both<T>(rows, cols, updated, k, u, a, dk);
}

/// Gradient through the read W'^T k that the delta rule subtracts, and the read W'^T q, W' the matrix
/// before the write: dq[e] += sum_m W'[e][m] g[m];  dk[e] -= sum_m W'[e][m] dv[m];  G[e][m] -= k[e] dv[m].
template <typename T>
void erase_backward(Index rows, Index cols, const Lanes<T>* before, Lanes<T>* gradient,
                    const Lanes<T>* k, const Lanes<T>* g, const Lanes<T>* dv, Lanes<T>* dq,
                    Lanes<T>* dk) {
  const auto some_rows = [&]<Index height>(Index e) {
    Lanes<T> query[height];
    Lanes<T> key[height];
    for (Index j = 0; j < height; ++j) {
      query[j] = dq[e + j];
      key[j] = dk[e + j];
    }
    for (Index m = 0; m < cols; ++m) {
      for (Index j = 0; j < height; ++j) {
        const Index at = (e + j) * cols + m;
        query[j] = xsimd::fma(before[at], g[m], query[j]);
        key[j] = xsimd::fnma(before[at], dv[m], key[j]);
        gradient[at] = xsimd::fnma(k[e + j], dv[m], gradient[at]);
      }
    }
    for (Index j = 0; j < height; ++j) {
      dq[e + j] = query[j];
      dk[e + j] = key[j];
    }
  };
  for_blocks(rows, some_rows);
}

/// D[m] = sum_e W[e][m] p[e], then W[e][m] += k[e] rate[m] D[m], column block by column block, so that the
/// write finds in L1 what the read fetched.
template <typename T>
void respond_and_write(Index rows, Index cols, Lanes<T>* w, const Lanes<T>* p, const Lanes<T>* k,
                       const Lanes<T>* rate, Lanes<T>* response) {
  const auto columns = [&]<Index width>(Index m) {
    Lanes<T> sum[width];
    for (Index j = 0; j < width; ++j) sum[j] = Lanes<T>(T(0));
    for (Index e = 0; e < rows; ++e) {
      for (Index j = 0; j < width; ++j) sum[j] = xsimd::fma(w[e * cols + m + j], p[e], sum[j]);
    }
    for (Index j = 0; j < width; ++j) {
      response[m + j] = sum[j];
      sum[j] *= rate[m + j];
    }
    for (Index e = 0; e < rows; ++e) {
      for (Index j = 0; j < width; ++j) {
        w[e * cols + m + j] = xsimd::fma(k[e], sum[j], w[e * cols + m + j]);
      }
    }
  };
  for_blocks(cols, columns);
}

/// y[e] = sum_m W[e][m] b[m] and G[e][m] += p[e] a[m] + x[e] b[m], in one pass over W and G.
template <typename T>
void read_transposed_write_two(Index rows, Index cols, const Lanes<T>* w, Lanes<T>* gradient,
                               const Lanes<T>* p, const Lanes<T>* a, const Lanes<T>* x,
                               const Lanes<T>* b, Lanes<T>* y) {
  const auto some_rows = [&]<Index height>(Index e) {
    Lanes<T> sum[height];
    for (Index j = 0; j < height; ++j) sum[j] = Lanes<T>(T(0));
    for (Index m = 0; m < cols; ++m) {
      for (Index j = 0; j < height; ++j) {
        const Index at = (e + j) * cols + m;
        sum[j] = xsimd::fma(w[at], b[m], sum[j]);
        gradient[at] = xsimd::fma(p[e + j], a[m], xsimd::fma(x[e + j], b[m], gradient[at]));
      }
    }
    for (Index j = 0; j < height; ++j) y[e + j] = sum[j];
  };
  for_blocks(rows, some_rows);
}

}  // namespace rlt::fast_matrix
