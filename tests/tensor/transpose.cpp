#include "tensor/transpose.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "support/numbers.hpp"

using rlt::Index;
using rlt::Matrix;

TEST_CASE_TEMPLATE("transpose: exchanges rows and columns of a block and touches nothing else", T,
                   float, double) {
  constexpr Index rows = 37;
  constexpr Index cols = 19;
  std::vector<T> from = support::numbers<T>(rows * (cols + 3), 1);
  std::vector<T> to(static_cast<std::size_t>(cols * (rows + 5)), T(77));
  rlt::transpose(Matrix<const T>(from.data() + 2, rows, cols, cols + 3),
                 Matrix<T>(to.data(), cols, rows, rows + 5));
  for (Index c = 0; c < cols; ++c) {
    for (Index r = 0; r < rows + 5; ++r) {
      CHECK(to[c * (rows + 5) + r] == (r < rows ? from[2 + r * (cols + 3) + c] : T(77)));
    }
  }
}
