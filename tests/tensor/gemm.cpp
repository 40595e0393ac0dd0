#include "tensor/gemm.hpp"

#include <doctest/doctest.h>
#include <sys/mman.h>

#include <vector>

using namespace rlt;

TEST_CASE("gemm: rows that lie further apart than 32 bits count are multiplied all the same") {
  constexpr Index stride = (Index{1} << 31) + 5;
  constexpr Index rows = 3, inner = 4, cols = 2;
  constexpr std::size_t bytes = rows * stride * sizeof(float);
  // Address space alone: only the pages that are touched take memory.
  void* const mapped = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) return;
  const Matrix<float> wide(static_cast<float*>(mapped), rows, inner, stride);
  const std::vector<float> b = {1, 2, 3, 4, 5, 6, 7, 8};
  std::vector<float> c(rows * cols, 1);
  for (Index r = 0; r < rows; ++r) {
    for (Index i = 0; i < inner; ++i) {
      wide.data[r * stride + i] = static_cast<float>(10 * r + i);
    }
  }
  gemm<float>(wide, {b.data(), inner, cols}, {c.data(), rows, cols}, Write::add);
  for (Index r = 0; r < rows; ++r) {
    for (Index j = 0; j < cols; ++j) {
      float expected = 1;
      for (Index i = 0; i < inner; ++i) expected += wide.data[r * stride + i] * b[i * cols + j];
      CHECK(c[r * cols + j] == expected);
    }
  }
  munmap(mapped, bytes);
}
