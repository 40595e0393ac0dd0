#include "tensor/gemm.hpp"

#include <doctest/doctest.h>
#include <sys/mman.h>

#include <limits>
#include <vector>

#include "base/parallel.hpp"
#include "support/numbers.hpp"

using rlt::Index;
using rlt::Matrix;
using rlt::Write;

namespace {

// Sums of up to 200 products of numbers in [-1, 1] against sums in double.
template <typename T>
constexpr double tolerance = 64 * std::numeric_limits<T>::epsilon();

/// A matrix inside a larger one: `gap` numbers before and after each row, and a row above and below.
template <typename T>
struct Inside {
  Index rows, cols, gap;
  std::vector<T> all;

  Inside(Index rows_, Index cols_, Index gap_, T outside)
      : rows(rows_), cols(cols_), gap(gap_), all((rows + 2) * (cols + 2 * gap), outside) {}
  static Inside random(Index rows, Index cols, Index gap, T outside, std::uint64_t seed) {
    Inside result(rows, cols, gap, outside);
    const std::vector<T> values = support::numbers<T>(rows * cols, seed);
    for (Index r = 0; r < rows; ++r) {
      for (Index c = 0; c < cols; ++c) result.at(r, c) = values[r * cols + c];
    }
    return result;
  }
  Index place(Index r, Index c) const { return (r + 1) * (cols + 2 * gap) + gap + c; }
  T& at(Index r, Index c) { return all[place(r, c)]; }
  double at(Index r, Index c) const { return static_cast<double>(all[place(r, c)]); }
  Matrix<T> matrix() { return {&at(0, 0), rows, cols, cols + 2 * gap}; }
};

/// C = [C +] A B, or A^T B, number by number in double.
template <typename T>
std::vector<double> definition(bool transposed, const Inside<T>& a, const Inside<T>& b,
                               const Inside<T>& c, Write write) {
  std::vector<double> all(c.all.begin(), c.all.end());
  for (Index i = 0; i < c.rows; ++i) {
    for (Index j = 0; j < c.cols; ++j) {
      double sum = write == Write::add ? c.at(i, j) : 0;
      for (Index k = 0; k < b.rows; ++k) {
        sum += (transposed ? a.at(k, i) : a.at(i, k)) * b.at(k, j);
      }
      all[c.place(i, j)] = sum;
    }
  }
  return all;
}

struct Size {
  Index m, k, n;
};

}  // namespace

// Sizes on both sides of vectors and of the pieces of 64 that A^T B is cut into.
TEST_CASE_TEMPLATE(
    "gemm: A B and A^T B of every size, alone or inside larger matrices, written or added", T,
    float, double) {
  for (const auto& [m, k, n] :
       {Size{1, 1, 1}, Size{3, 5, 7}, Size{1, 19, 4}, Size{8, 1, 3}, Size{63, 64, 65},
        Size{64, 65, 63}, Size{130, 70, 129}, Size{17, 200, 9}}) {
    for (const Index gap : {0, 3}) {
      for (const Write write : {Write::overwrite, Write::add}) {
        for (const bool transposed : {false, true}) {
          CAPTURE(m);
          CAPTURE(k);
          CAPTURE(n);
          CAPTURE(gap);
          CAPTURE((write == Write::add));
          CAPTURE(transposed);
          // What lies around A and B must not be read: it would spoil the sums.
          const T nan = std::numeric_limits<T>::quiet_NaN();
          Inside<T> a = transposed ? Inside<T>::random(k, m, gap, nan, 1)
                                   : Inside<T>::random(m, k, gap, nan, 1);
          Inside<T> b = Inside<T>::random(k, n, gap, nan, 2);
          Inside<T> c = Inside<T>::random(m, n, gap, T(77), 3);
          const std::vector<double> expected = definition(transposed, a, b, c, write);
          if (write == Write::overwrite) {
            for (Index i = 0; i < m; ++i) {
              for (Index j = 0; j < n; ++j) c.at(i, j) = nan;  // what was there does not matter
            }
          }
          if (transposed) {
            rlt::gemm_at<T>(a.matrix(), b.matrix(), c.matrix(), write);
          } else {
            rlt::gemm<T>(a.matrix(), b.matrix(), c.matrix(), write);
          }
          CHECK(support::largest_difference(c.all, expected) < tolerance<T>);
        }
      }
    }
  }
}

TEST_CASE("gemm: recorded products run again, cut as they were") {
  const std::vector<double> a = support::numbers(6 * 5, 1);
  const std::vector<double> b = support::numbers(5 * 4, 2);
  std::vector<double> product(6 * 4);
  std::vector<double> sum(5 * 4);
  std::vector<rlt::GemmCall<double>> log;
  rlt::record_gemm(&log);
  rlt::parallel_for(2, [&](Index half, int) {  // three rows each
    rlt::gemm<double>({a.data() + half * 15, 3, 5}, {b.data(), 5, 4},
                      {product.data() + half * 12, 3, 4}, Write::overwrite);
  });
  rlt::gemm_at<double>({a.data(), 6, 5}, {product.data(), 6, 4}, {sum.data(), 5, 4}, Write::add);
  rlt::record_gemm<double>(nullptr);
  REQUIRE(log.size() == 3);
  CHECK(log[0].loop == log[1].loop);
  CHECK(log[2].loop != log[1].loop);  // it needs both of them
  const std::vector<double> first = product;
  std::vector<double> twice = sum;
  for (double& value : twice) value *= 2;
  product.assign(product.size(), 0);
  rlt::replay_gemm(log);
  CHECK(product == first);
  CHECK(support::largest_difference(sum, twice) < 1e-14);
  CHECK(log.size() == 3);  // a replay is not recorded
}

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
  rlt::gemm<float>(wide, {b.data(), inner, cols}, {c.data(), rows, cols}, Write::add);
  for (Index r = 0; r < rows; ++r) {
    for (Index j = 0; j < cols; ++j) {
      float expected = 1;
      for (Index i = 0; i < inner; ++i) expected += wide.data[r * stride + i] * b[i * cols + j];
      CHECK(c[r * cols + j] == expected);
    }
  }
  munmap(mapped, bytes);
}
