#include "tensor/gemm.hpp"

#include <dnnl.h>

#include <algorithm>
#include <limits>
#include <mutex>
#include <xtensor-blas/xblas.hpp>

#include "base/parallel.hpp"
#include "tensor/lanes.hpp"

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
void call_blas(cxxblas::Transpose transpose, Matrix<const T> a, Matrix<const T> b, Matrix<T> c,
               Write write) {
  const bool turned = transpose == cxxblas::Transpose::Trans;
  const auto narrow = [](Index value) { return static_cast<xt::blas_index_t>(value); };
  cxxblas::gemm<xt::blas_index_t>(
      cxxblas::StorageOrder::RowMajor, transpose, cxxblas::Transpose::NoTrans, narrow(c.rows),
      narrow(c.cols), narrow(turned ? a.rows : a.cols), T(1), a.data, narrow(a.stride), b.data,
      narrow(b.stride), write == Write::add ? T(1) : T(0), c.data, narrow(c.stride));
}

// oneDNN multiplies floats at 80 to 98 % of the processor's peak where OpenBLAS 0.3.21 reaches 60 to 90, AVX2 and
// AVX-512 alike, but takes 0.4 us to begin; it has no products of doubles. OpenBLAS has kernels for small matrices, for
// AVX-512 alone: there 96 x 64 x 64 runs at 91 % of the peak against 80. Where both are as fast:
constexpr Index onednn_from = lane_count<float> == 16 ? 1 << 19 : 1 << 17;  // multiply-adds

void call_onednn(const GemmCall<float>& call) {
  const auto& [kind, a, b, c, write, loop, iteration] = call;
  const char transposed = kind == GemmCall<float>::Kind::atb ? 'T' : 'N';
  const float kept = write == Write::add ? 1 : 0;
  dnnl_sgemm(transposed, 'N', c.rows, c.cols, b.rows, 1, a.data, a.stride, b.data, b.stride, kept,
             c.data, c.stride);
}

// OpenBLAS multiplies tiles this small without packing; A and B are read from memory once.
template <typename T>
void tall_product(Matrix<const T> a, Matrix<const T> b, Matrix<T> c, Write write) {
  constexpr Index tile = 64;
  for (Index k = 0; k < a.rows; k += tile) {
    const Index depth = std::min(tile, a.rows - k);
    for (Index row = 0; row < c.rows; row += tile) {
      const Index rows = std::min(tile, c.rows - row);
      for (Index col = 0; col < c.cols; col += tile) {
        const Index cols = std::min(tile, c.cols - col);
        call_blas<T>(cxxblas::Transpose::Trans, a.row_block(k, depth).col_block(row, rows),
                     b.row_block(k, depth).col_block(col, cols),
                     c.row_block(row, rows).col_block(col, cols), k == 0 ? write : Write::add);
      }
    }
  }
}

// One row times B. A call of BLAS costs half a microsecond in locks before it multiplies anything, as long as a row of
// 64 takes with 64 columns; acting and streaming at batch 1 consist of such products. A tile takes `width` neighbouring
// columns, vectors or single numbers; narrow tiles sum even and odd k apart, so that enough sums are under way at once.
template <Index width, typename V, typename T>
void row_tile(const T* a, Index depth, Matrix<const T> b, T* c, Write write) {
  constexpr Index chains = width >= 8 ? 1 : 2;
  constexpr Index n = std::is_same_v<V, T> ? 1 : lane_count<T>;
  const auto load = [](const T* from) {
    if constexpr (n == 1)
      return *from;
    else
      return V::load_unaligned(from);
  };
  V sums[chains][width];
  for (Index v = 0; v < width; ++v) {
    sums[0][v] = write == Write::add ? load(c + v * n) : V(T(0));
    if constexpr (chains == 2) sums[1][v] = V(T(0));
  }
  const auto add = [&](Index k, V* sum) {
    const T* const row = b.row(k);
    for (Index v = 0; v < width; ++v) sum[v] += V(a[k]) * load(row + v * n);
  };
  Index k = 0;
  for (; k + chains <= depth; k += chains) {
    for (Index chain = 0; chain < chains; ++chain) add(k + chain, sums[chain]);
  }
  for (; k < depth; ++k) add(k, sums[0]);
  for (Index v = 0; v < width; ++v) {
    V sum = sums[0][v];
    if constexpr (chains == 2) sum += sums[1][v];
    if constexpr (n == 1)
      c[v] = sum;
    else
      sum.store_unaligned(c + v * n);
  }
}

template <typename T>
void row_product(Matrix<const T> a, Matrix<const T> b, Matrix<T> c, Write write) {
  Index col = 0;
  const auto tiles = [&]<Index width, typename V>(V) {
    constexpr Index columns = width * (std::is_same_v<V, T> ? 1 : lane_count<T>);
    for (; col + columns <= c.cols; col += columns) {
      row_tile<width, V>(a.data, a.cols, b.col_block(col, columns), c.data + col, write);
    }
  };
  tiles.template operator()<8>(Lanes<T>());
  tiles.template operator()<4>(Lanes<T>());
  tiles.template operator()<1>(Lanes<T>());
  tiles.template operator()<4>(T());
  tiles.template operator()<1>(T());
}

// BLAS counts in 32 bits: rows that lie further apart, as those of one step in very long sequences, are
// multiplied one by one.
template <typename T>
void plain_product(Matrix<const T> a, Matrix<const T> b, Matrix<T> c, Write write) {
  constexpr Index widest = std::numeric_limits<xt::blas_index_t>::max();
  if (std::max(a.stride, c.stride) <= widest) {
    call_blas<T>(cxxblas::Transpose::NoTrans, a, b, c, write);
    return;
  }
  for (Index row = 0; row < c.rows; ++row) {
    call_blas<T>(cxxblas::Transpose::NoTrans, {a.row_block(row, 1).data, 1, a.cols}, b,
                 {c.row_block(row, 1).data, 1, c.cols}, write);
  }
}

template <typename T>
void product(const GemmCall<T>& call) {
  if (active_log<T>() != nullptr) record(call);
  if constexpr (std::is_same_v<T, float>) {
    if (call.c.rows > 1 && call.c.rows * call.c.cols * call.b.rows >= onednn_from) {
      call_onednn(call);
      return;
    }
  }
  if (call.kind == GemmCall<T>::Kind::atb) {
    tall_product<T>(call.a, call.b, call.c, call.write);
  } else if (call.c.rows == 1) {
    row_product<T>(call.a, call.b, call.c, call.write);
  } else {
    plain_product<T>(call.a, call.b, call.c, call.write);
  }
}

}  // namespace

template <typename T>
void gemm(Matrix<const T> a, Matrix<const T> b, Matrix<T> c, Write write) {
  product<T>({GemmCall<T>::Kind::ab, a, b, c, write});
}

template <typename T>
void gemm_at(Matrix<const T> a, Matrix<const T> b, Matrix<T> c, Write write) {
  product<T>({GemmCall<T>::Kind::atb, a, b, c, write});
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

#define RLT_INSTANTIATE(T)                                                      \
  template void gemm<T>(Matrix<const T>, Matrix<const T>, Matrix<T>, Write);    \
  template void gemm_at<T>(Matrix<const T>, Matrix<const T>, Matrix<T>, Write); \
  template void record_gemm<T>(std::vector<GemmCall<T>>*);                      \
  template void replay_gemm<T>(const std::vector<GemmCall<T>>&);
RLT_INSTANTIATE(float)
RLT_INSTANTIATE(double)
#undef RLT_INSTANTIATE

}  // namespace rlt
