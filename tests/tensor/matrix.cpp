// Matrix of tensor/gemm.hpp.
#include <doctest/doctest.h>

#include <vector>

#include "tensor/gemm.hpp"

using rlt::Index;
using rlt::Matrix;

TEST_CASE("matrix: blocks of rows and columns keep the stride and begin where they were asked to") {
  std::vector<int> numbers(5 * 7);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<int>(i);
  const Matrix<int> whole(numbers.data(), 5, 7);
  CHECK(whole.stride == 7);
  const Matrix<int> block = whole.row_block(1, 3).col_block(2, 4);
  CHECK(block.rows == 3);
  CHECK(block.cols == 4);
  CHECK(block.stride == 7);
  for (Index r = 0; r < block.rows; ++r) {
    for (Index c = 0; c < block.cols; ++c) {
      CHECK(block.data[r * block.stride + c] == (1 + r) * 7 + 2 + c);
    }
  }
  const Matrix<int> other = whole.col_block(2, 4).row_block(1, 3);
  CHECK(other.data == block.data);
  CHECK(other.rows == block.rows);
  CHECK(other.cols == block.cols);
}

TEST_CASE("matrix: writing to a block writes to the whole, and a matrix can be read as constant") {
  std::vector<int> numbers(3 * 4, 0);
  const Matrix<int> whole(numbers.data(), 3, 4);
  const Matrix<int> corner = whole.row_block(2, 1).col_block(3, 1);
  corner.data[0] = 9;
  CHECK(numbers.back() == 9);
  const Matrix<const int> read = corner;
  CHECK(read.data == &numbers.back());
  CHECK(read.stride == 4);
}
