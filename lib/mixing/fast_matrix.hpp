// Products with a fast weight matrix W[e][m] (e key index, m value index, row-major), one matrix per lane.
// Loops go tile by tile, so that sums stay in registers. A weight may also be a plain number shared by all
// lanes (slow recurrent weights): `Weight` is Lanes<T> or T.
#pragma once

#include "tensor/lanes.hpp"

namespace rlt::fast_matrix {

inline constexpr Index tile = 8;  // sums held in registers at once
/// Rows at once where one pass both reads and writes a matrix. The loads of a column precede its stores: rows
/// are a power of two apart, and a load that follows a store to an address equal modulo 4 KiB stalls (4K
/// aliasing).
inline constexpr Index few = 4;

/// body.operator()<width>(first) over tiles of `size`, then one by one.
template <Index size = tile, typename Body>
void for_tiles(Index count, const Body& body) {
  Index first = 0;
  for (; first + size <= count; first += size) body.template operator()<size>(first);
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
  for_tiles(cols, columns);
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
  for_tiles(cols, columns);
}

/// next[e][m] = W[e][m] + k[e] beta u[m]; `next` may be W itself.
template <typename T>
void write_scaled(Index rows, Index cols, const Lanes<T>* w, const Lanes<T>* k,
                  const Lanes<T>& beta, const Lanes<T>* u, Lanes<T>* next) {
  const auto some_rows = [&]<Index height>(Index row) {
    Lanes<T> key[height];
    for (Index j = 0; j < height; ++j) key[j] = beta * k[row + j];
    for (Index m = 0; m < cols; ++m) {
      Lanes<T> value[height];
      for (Index j = 0; j < height; ++j) {
        value[j] = xsimd::fma(key[j], u[m], w[(row + j) * cols + m]);
      }
      for (Index j = 0; j < height; ++j) next[(row + j) * cols + m] = value[j];
    }
  };
  for_tiles<few>(rows, some_rows);
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
  for_tiles(rows, some_rows);
}

/// Gradient through W = W' + k c^T in one pass over G = dL/dW:
/// a[m] = sum_e G[e][m] k[e] (so dc = a);   dk[e] = sum_m G[e][m] c[m].
template <typename T>
void read_both(Index rows, Index cols, const Lanes<T>* gradient, const Lanes<T>* k,
               const Lanes<T>* c, Lanes<T>* a, Lanes<T>* dk) {
  for (Index e = 0; e < rows; ++e) dk[e] = Lanes<T>(T(0));
  const auto columns = [&]<Index width>(Index m) {
    Lanes<T> sum[width];
    for (Index j = 0; j < width; ++j) sum[j] = Lanes<T>(T(0));
    for (Index e = 0; e < rows; ++e) {
      Lanes<T> even(T(0));
      Lanes<T> odd(T(0));
      for (Index j = 0; j < width; ++j) {
        const Lanes<T> value = gradient[e * cols + m + j];
        sum[j] = xsimd::fma(k[e], value, sum[j]);
        Lanes<T>& row = j % 2 == 0 ? even : odd;
        row = xsimd::fma(c[m + j], value, row);
      }
      dk[e] += even + odd;
    }
    for (Index j = 0; j < width; ++j) a[m + j] = sum[j];
  };
  for_tiles(cols, columns);
}

/// Gradient through y = W^T q with dy = g, and then through W = W' + k u^T, in one pass over G = dL/dW:
/// G += q g^T;   a[m] = sum_e G[e][m] k[e] (so du = a);   dk[e] = sum_m G[e][m] u[m].
template <typename T>
void read_write_backward(Index rows, Index cols, Lanes<T>* gradient, const Lanes<T>* q,
                         const Lanes<T>* g, const Lanes<T>* k, const Lanes<T>* u, Lanes<T>* a,
                         Lanes<T>* dk) {
  for (Index m = 0; m < cols; ++m) a[m] = Lanes<T>(T(0));
  const auto some_rows = [&]<Index height>(Index row) {
    Lanes<T> query[height];
    Lanes<T> key[height];
    Lanes<T> dkey[height];
    for (Index j = 0; j < height; ++j) {
      query[j] = q[row + j];
      key[j] = k[row + j];
      dkey[j] = Lanes<T>(T(0));
    }
    for (Index m = 0; m < cols; ++m) {
      Lanes<T> slope[height];
      Lanes<T> sum = a[m];
      for (Index j = 0; j < height; ++j) {
        // y = W^T q
        slope[j] = xsimd::fma(query[j], g[m], gradient[(row + j) * cols + m]);
        // W = W' + k u^T
        sum = xsimd::fma(key[j], slope[j], sum);
        dkey[j] = xsimd::fma(slope[j], u[m], dkey[j]);
      }
      a[m] = sum;
      for (Index j = 0; j < height; ++j) gradient[(row + j) * cols + m] = slope[j];
    }
    for (Index j = 0; j < height; ++j) dk[row + j] = dkey[j];
  };
  for_tiles<few>(rows, some_rows);
}

/// Gradient through the two reads of the delta rule, which takes its write back on the way; W is the matrix
/// after the write W = W' + k (beta e)^T on entry and W' before it on return:
/// dq[e] = sum_m W[e][m] g[m];   dk[e] -= sum_m W'[e][m] dv[m];   G[e][m] -= k[e] dv[m].
template <typename T>
void erase_backward(Index rows, Index cols, Lanes<T>* w, Lanes<T>* gradient, const Lanes<T>* k,
                    const Lanes<T>& beta, const Lanes<T>* e, const Lanes<T>* g, const Lanes<T>* dv,
                    Lanes<T>* dq, Lanes<T>* dk) {
  const auto some_rows = [&]<Index height>(Index row) {
    Lanes<T> key[height];
    Lanes<T> written[height];
    Lanes<T> dquery[height];
    Lanes<T> dkey[height];
    for (Index j = 0; j < height; ++j) {
      key[j] = k[row + j];
      written[j] = beta * key[j];
      dquery[j] = Lanes<T>(T(0));
      dkey[j] = dk[row + j];
    }
    for (Index m = 0; m < cols; ++m) {
      Lanes<T> before[height];
      Lanes<T> slope[height];
      for (Index j = 0; j < height; ++j) {
        const Index at = (row + j) * cols + m;
        // y = W^T q
        dquery[j] = xsimd::fma(w[at], g[m], dquery[j]);
        // W = W' + k (beta e)^T
        before[j] = xsimd::fnma(written[j], e[m], w[at]);
        // e = v - W'^T k
        dkey[j] = xsimd::fnma(before[j], dv[m], dkey[j]);
        slope[j] = xsimd::fnma(key[j], dv[m], gradient[at]);
      }
      for (Index j = 0; j < height; ++j) {
        const Index at = (row + j) * cols + m;
        w[at] = before[j];
        gradient[at] = slope[j];
      }
    }
    for (Index j = 0; j < height; ++j) {
      dq[row + j] = dquery[j];
      dk[row + j] = dkey[j];
    }
  };
  for_tiles<few>(rows, some_rows);
}

/// Takes back W = W' + k u^T, then y[e] = sum_m W'[e][m] g[m].
template <typename T>
void undo_read_transposed(Index rows, Index cols, Lanes<T>* w, const Lanes<T>* k, const Lanes<T>* u,
                          const Lanes<T>* g, Lanes<T>* y) {
  const auto some_rows = [&]<Index height>(Index row) {
    Lanes<T> key[height];
    Lanes<T> sum[height];
    for (Index j = 0; j < height; ++j) {
      key[j] = k[row + j];
      sum[j] = Lanes<T>(T(0));
    }
    for (Index m = 0; m < cols; ++m) {
      Lanes<T> before[height];
      for (Index j = 0; j < height; ++j) {
        before[j] = xsimd::fnma(key[j], u[m], w[(row + j) * cols + m]);
        sum[j] = xsimd::fma(before[j], g[m], sum[j]);
      }
      for (Index j = 0; j < height; ++j) w[(row + j) * cols + m] = before[j];
    }
    for (Index j = 0; j < height; ++j) y[row + j] = sum[j];
  };
  for_tiles<few>(rows, some_rows);
}

/// D[m] = sum_e W[e][m] p[e], then W[e][m] += k[e] rate[m] D[m], some columns at a time, so that the write
/// finds in L1 what the read fetched.
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
  for_tiles(cols, columns);
}

/// Gradient through the reads W^T p and W^T x with gradients a and b, in one pass over W and G:
/// y[e] = sum_m W[e][m] b[m] (so dx = y);   G[e][m] += p[e] a[m] + x[e] b[m]. The gradient of p is left out.
template <typename T>
void read_transposed_write_two(Index rows, Index cols, const Lanes<T>* w, Lanes<T>* gradient,
                               const Lanes<T>* p, const Lanes<T>* a, const Lanes<T>* x,
                               const Lanes<T>* b, Lanes<T>* y) {
  const auto some_rows = [&]<Index height>(Index e) {
    Lanes<T> left[height];
    Lanes<T> right[height];
    Lanes<T> sum[height];
    for (Index j = 0; j < height; ++j) {
      left[j] = p[e + j];
      right[j] = x[e + j];
      sum[j] = Lanes<T>(T(0));
    }
    for (Index m = 0; m < cols; ++m) {
      Lanes<T> slope[height];
      for (Index j = 0; j < height; ++j) {
        const Index at = (e + j) * cols + m;
        sum[j] = xsimd::fma(w[at], b[m], sum[j]);
        slope[j] = xsimd::fma(left[j], a[m], xsimd::fma(right[j], b[m], gradient[at]));
      }
      for (Index j = 0; j < height; ++j) gradient[(e + j) * cols + m] = slope[j];
    }
    for (Index j = 0; j < height; ++j) y[e + j] = sum[j];
  };
  for_tiles<few>(rows, some_rows);
}

}  // namespace rlt::fast_matrix
