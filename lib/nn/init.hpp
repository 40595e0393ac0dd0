// How parameters start. One function for each name that the papers use; every entry is drawn from the
// generator that it is given, so that a start depends on the seed and the parameter's name alone.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "base/index.hpp"
#include "base/rng.hpp"

namespace rlt {

/// Fills the entries of a parameter of this shape, row-major.
using Init = std::function<void(const Rng&, const std::vector<Index>& shape, std::span<double>)>;

namespace init {

Init constant(double value);
/// Uniform in [-bound, bound).
Init uniform(double bound);
Init normal(double deviation, double mean = 0);
/// Normal with mean 0, cut off at two deviations on either side; `deviation` is that of the uncut normal.
Init truncated_normal(double deviation);
/// Flax's default for the matrix of a dense layer (LeCun et al. 1998, Efficient BackProp): a truncated normal
/// whose deviation after the cut is 1 / sqrt(inputs). Leading sides of the shape are the inputs.
Init lecun_normal();
/// gain times a matrix (rows, cols) whose rows, or columns where there are more rows, are orthonormal (Saxe,
/// McClelland, Ganguli 2014, arXiv 1312.6120). Leading sides of the shape count as rows.
Init orthogonal(double gain = 1);
/// Ones on the diagonal of each of the last two sides' matrices, else 0, times `scale`.
Init identity(double scale = 1);

}  // namespace init

/// A matrix (rows, cols), rows >= cols, with orthonormal columns, uniformly distributed: Q of the Gaussian
/// matrix of entries `gaussian`, signs such that R has a positive diagonal.
std::vector<double> orthonormal_columns(Index rows, Index cols,
                                        const std::vector<double>& gaussian);

}  // namespace rlt
