// Adafactor (Shazeer, Stern 2018, arXiv 1804.04235), with the settings of Flax that arXiv 2203.07852 used: steps in
// relation to the size of a parameter, second moments of matrices as the product of one number for each row and each
// column. For a parameter w with gradient g, step t = 1, 2, ..:
//   d   = 1 - t^-0.8
//   r_i = d r_i + (1 - d) mean_j (g_ij^2 + 1e-30)           s_j the same over rows
//   v   = r_i s_j / mean(r)      of what is no matrix: v = d v + (1 - d) (g^2 + 1e-30)
//   u   = g / sqrt(v),           divided by max(1, rms(u))
//   m   = b1 m + (1 - b1) rate max(rms(w), 1e-3) u          w -= m
// departs: Flax factors only matrices of at least 128 rows and columns; here all of at least two. r and s lie in the
//   flat array that Adam needs for v, which checkpoints copy as it is: no memory is saved.
#pragma once

#include "nn/parameter.hpp"

namespace rlt {

/// `first` (m) and `second` (r, then s, or v) as flat as the parameters.
template <typename T>
void adafactor_update(const ParameterSet<T>& parameters, double beta1, Index step,
                      double learning_rate, T* first, T* second);

}  // namespace rlt
