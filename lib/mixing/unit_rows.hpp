// Queries and keys of unit length, head by head:
//   y = u r,  r = 1 / sqrt(sum u^2 + epsilon)        du = r (dy - y (y . dy))
// epsilon is added to the sum, not to the mean as in a norm.
#pragma once

#include <cmath>

#include "tensor/lanes.hpp"
#include "tensor/matrix.hpp"

namespace rlt {

template <typename T>
T dot(const T* a, const T* b, Index count) {
  Lanes<T> sum(T(0));
  for (Index c = 0; c < count; c += lane_count<T>) {
    sum = xsimd::fma(load_lanes(a + c, count - c), load_lanes(b + c, count - c), sum);
  }
  return xsimd::hadd(sum);
}

/// u (rows, heads of `size` numbers) becomes y in place; r (rows, heads).
template <typename T>
void make_unit(Matrix<T> u, Index size, T* r) {
  constexpr T epsilon = T(1e-6);
  for (Index row = 0; row < u.rows; ++row) {
    for (T* head = u.row(row); head < u.row(row) + u.cols; head += size, ++r) {
      *r = 1 / std::sqrt(dot(head, head, size) + epsilon);
      for (Index c = 0; c < size; ++c) head[c] *= *r;
    }
  }
}

/// dy becomes du in place.
template <typename T>
void make_unit_backward(Matrix<const T> y, Index size, const T* r, Matrix<T> dy) {
  for (Index row = 0; row < y.rows; ++row) {
    for (Index first = 0; first < y.cols; first += size, ++r) {
      const T* const unit = y.row(row) + first;
      T* const slope = dy.row(row) + first;
      const T along = dot(unit, static_cast<const T*>(slope), size);
      for (Index c = 0; c < size; ++c) slope[c] = *r * (slope[c] - unit[c] * along);
    }
  }
}

}  // namespace rlt
