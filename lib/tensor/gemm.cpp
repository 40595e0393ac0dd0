#include "tensor/gemm.hpp"

#include <algorithm>
#include <mutex>
#include <xtensor-blas/xblas.hpp>

#include "base/parallel.hpp"

namespace rlt {
namespace {

template <typename T>
std::vector<GemmCall<T>>*& active_log() {
  static std::vector<GemmCall<T>>* log = nullptr;
  return log;
}

template <typename T>
void record(const GemmCall<T>& call) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  active_log<T>()->push_back(call);
  active_log<T>()->back().loop = loop_position().loop;
  active_log<T>()->back().iteration = loop_position().iteration;
}

template <typename T>
void product(const GemmCall<T>& call) {
  using Kind = typename GemmCall<T>::Kind;
  constexpr auto plain = cxxblas::Transpose::NoTrans;
  constexpr auto transposed = cxxblas::Transpose::Trans;
  const auto narrow = [](Index value) { return static_cast<xt::blas_index_t>(value); };
  if (active_log<T>() != nullptr) record(call);
  cxxblas::gemm<xt::blas_index_t>(
      cxxblas::StorageOrder::RowMajor, call.kind == Kind::atb ? transposed : plain,
      call.kind == Kind::abt ? transposed : plain, narrow(call.c.rows), narrow(call.c.cols),
      narrow(call.kind == Kind::atb ? call.a.rows : call.a.cols), T(1), call.a.data,
      narrow(call.a.stride), call.b.data, narrow(call.b.stride),
      call.write == Write::add ? T(1) : T(0), call.c.data, narrow(call.c.stride));
}

}  // namespace

template <typename T>
void gemm(Matrix<const T> a, Matrix<const T> b, Matrix<T> c, Write write) {
  product<T>({GemmCall<T>::Kind::ab, a, b, c, write});
}

template <typename T>
void gemm_bt(Matrix<const T> a, Matrix<const T> b, Matrix<T> c, Write write) {
  product<T>({GemmCall<T>::Kind::abt, a, b, c, write});
}

template <typename T>
void gemm_at(Matrix<const T> a, Matrix<const T> b, Matrix<T> c, Write write) {
  product<T>({GemmCall<T>::Kind::atb, a, b, c, write});
}

template <typename T>
void parallel_gemm_at(Matrix<const T> a, Matrix<const T> b, Matrix<T> c) {
  // Measured: a product of at most 10^6 multiply-adds goes through OpenBLAS's small-matrix kernels, which
  // are the fastest here; anything larger wants tiles of 64 x 128, of even widths.
  const bool small = c.rows * c.cols <= 64 * 64 && 16 * 32 * a.rows <= 1'000'000;
  const Index tile_rows = small ? 16 : 64;
  const Index tile_cols = small ? 32 : round_up(divide_up(c.cols, divide_up(c.cols, 128)), 16);
  const Index across = divide_up(c.cols, tile_cols);
  parallel_for(divide_up(c.rows, tile_rows) * across, [&](Index tile, int) {
    const Index row = tile / across * tile_rows;
    const Index col = tile % across * tile_cols;
    const Index rows = std::min(tile_rows, c.rows - row);
    const Index cols = std::min(tile_cols, c.cols - col);
    gemm_at<T>(a.col_block(row, rows), b.col_block(col, cols),
               c.row_block(row, rows).col_block(col, cols), Write::add);
  });
}

template <typename T>
void record_gemm(std::vector<GemmCall<T>>* log) {
  active_log<T>() = log;
}

template <typename T>
void replay_gemm(const std::vector<GemmCall<T>>& log) {
  std::size_t first = 0;
  while (first < log.size()) {
    std::size_t last = first;
    Index iterations = 0;
    while (last < log.size() && log[last].loop == log[first].loop) {
      iterations = std::max(iterations, log[last].iteration + 1);
      ++last;
    }
    parallel_for(iterations, [&](Index iteration, int) {
      for (std::size_t i = first; i < last; ++i) {
        if (log[i].iteration == iteration) product<T>(log[i]);
      }
    });
    first = last;
  }
}

#define RLT_INSTANTIATE(T)                                                        \
  template void gemm<T>(Matrix<const T>, Matrix<const T>, Matrix<T>, Write);      \
  template void gemm_bt<T>(Matrix<const T>, Matrix<const T>, Matrix<T>, Write);   \
  template void gemm_at<T>(Matrix<const T>, Matrix<const T>, Matrix<T>, Write);   \
  template void parallel_gemm_at<T>(Matrix<const T>, Matrix<const T>, Matrix<T>); \
  template void record_gemm<T>(std::vector<GemmCall<T>>*);                        \
  template void replay_gemm<T>(const std::vector<GemmCall<T>>&);
RLT_INSTANTIATE(float)
RLT_INSTANTIATE(double)
#undef RLT_INSTANTIATE

}  // namespace rlt
