// What layers speak: a view of numbers that lie in someone else's memory.
#pragma once

#include "base/index.hpp"

namespace rlt {

/// A row-major block inside a larger matrix: row r starts at data + r stride.
template <typename T>
struct Matrix {
  T* data = nullptr;
  Index rows = 0;
  Index cols = 0;
  Index stride = 0;

  Matrix() : Matrix(nullptr, 0, 0) {}  // of nothing
  Matrix(T* data_, Index rows_, Index cols_) : Matrix(data_, rows_, cols_, cols_) {}
  Matrix(T* data_, Index rows_, Index cols_, Index stride_)
      : data(data_), rows(rows_), cols(cols_), stride(stride_) {}
  /// A Matrix can be read through a Matrix of const.
  operator Matrix<const T>() const { return {data, rows, cols, stride}; }
  T* row(Index index) const { return data + index * stride; }
  Matrix row_block(Index first, Index count) const {
    return {data + first * stride, count, cols, stride};
  }
  Matrix col_block(Index first, Index count) const { return {data + first, rows, count, stride}; }
};

}  // namespace rlt
