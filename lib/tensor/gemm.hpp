// Dense products, the only place that calls BLAS. Row-major throughout. Each product runs on one thread;
// nn/linear.hpp splits the rows of a batch across threads.
#pragma once

#include <vector>

#include "base/index.hpp"
#include "tensor/matrix.hpp"

namespace rlt {

enum class Write { overwrite, add };

/// C = A B, or C += A B. One thread; may be called inside parallel_for.
template <typename T>
void gemm(Matrix<const T> a, Matrix<const T> b, Matrix<T> c, Write write);
/// C = A^T B, or C += A^T B, for A and B with many rows (batch x time).
template <typename T>
void gemm_at(Matrix<const T> a, Matrix<const T> b, Matrix<T> c, Write write);

/// One product as it was called: `rlt bench` records a training step's products and runs them alone.
template <typename T>
struct GemmCall {
  enum class Kind { ab, atb } kind;
  Matrix<const T> a, b;
  Matrix<T> c;
  Write write;
  Index loop = 0, iteration = 0;  // position in parallel_for
};

/// Appends every product to `log` until called with nullptr.
template <typename T>
void record_gemm(std::vector<GemmCall<T>>* log);
/// Runs recorded products again: those of one parallel loop in parallel, cut as they were.
template <typename T>
void replay_gemm(const std::vector<GemmCall<T>>& log);

}  // namespace rlt
