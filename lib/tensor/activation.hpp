// Transcendental functions, vectorised by xsimd: 8 to 25 times the speed of std::exp and its kin.
// A value's result does not depend on its place in a vector: tails run through the same code. nan stays nan.
// How far each is from std in which range: tests/tensor/activation.cpp.
#pragma once

#include "tensor/lanes.hpp"

namespace rlt {

/// 1 / (1 + e^-x)
template <typename T>
Lanes<T> sigmoid(const Lanes<T>& x) {
  return T(1) / (T(1) + xsimd::exp(-x));
}

/// elu(x) + 1: x + 1 for x > 0, e^x otherwise. Its derivative is min(elu1(x), 1).
template <typename T>
Lanes<T> elu1(const Lanes<T>& x) {
  // min gives its second argument where one is nan
  return xsimd::select(x > Lanes<T>(T(0)), x + T(1), xsimd::exp(xsimd::min(Lanes<T>(T(0)), x)));
}

/// p_i = e^(x_i - max x) / sum over i, lane by lane, for `count` vectors; p may be x.
template <typename T>
void softmax(const Lanes<T>* x, Index count, Lanes<T>* p) {
  Lanes<T> largest = x[0];
  for (Index i = 1; i < count; ++i) largest = xsimd::max(largest, x[i]);
  Lanes<T> sum(T(0));
  for (Index i = 0; i < count; ++i) {
    p[i] = xsimd::exp(x[i] - largest);
    sum += p[i];
  }
  const Lanes<T> scale = T(1) / sum;
  for (Index i = 0; i < count; ++i) p[i] *= scale;
}

/// dx_i <- p_i (dp_i - sum_j p_j dp_j): gradient of p = softmax(x), in place on dp.
template <typename T>
void softmax_backward(const Lanes<T>* p, Lanes<T>* dp, Index count) {
  Lanes<T> mean(T(0));
  for (Index i = 0; i < count; ++i) mean += p[i] * dp[i];
  for (Index i = 0; i < count; ++i) dp[i] = p[i] * (dp[i] - mean);
}

}  // namespace rlt
