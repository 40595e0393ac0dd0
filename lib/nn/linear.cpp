#include "nn/linear.hpp"

#include <cmath>
#include <string>

#include "tensor/lanes.hpp"

namespace rlt {

double default_width(Index inputs) { return 1 / std::sqrt(static_cast<double>(inputs)); }

namespace {

// `count` whole vectors of columns at once: as many sums run side by side.
template <Index count, typename T>
void add_some_columns(Matrix<const T> values, Index first, T* sums) {
  constexpr Index n = lane_count<T>;
  Lanes<T> sum[count];
  for (Index i = 0; i < count; ++i) {
    sum[i] = load_lanes(sums + first + i * n, values.cols - first - i * n);
  }
  for (Index r = 0; r < values.rows; ++r) {
    const T* const row = values.data + r * values.stride + first;
    for (Index i = 0; i < count; ++i) {
      sum[i] += load_lanes(row + i * n, values.cols - first - i * n);
    }
  }
  for (Index i = 0; i < count; ++i) {
    store_lanes(sums + first + i * n, sum[i], values.cols - first - i * n);
  }
}

}  // namespace

template <typename T>
void add_column_sums(Matrix<const T> values, T* sums) {
  constexpr Index vectors = 4;
  constexpr Index width = vectors * lane_count<T>;
  parallel_for(divide_up(values.cols, width), [&](Index block, int) {
    Index first = block * width;
    if (first + width <= values.cols) {
      add_some_columns<vectors>(values, first, sums);
      return;
    }
    for (; first < values.cols; first += lane_count<T>) add_some_columns<1>(values, first, sums);
  });
}

template <typename T>
void Linear<T>::declare(ParameterSet<T>& parameters, std::string_view prefix, Index in, Index out,
                        Bias bias) {
  declare(parameters, prefix, in, out, bias, Init::uniform(default_width(in)));
}

template <typename T>
void Linear<T>::declare(ParameterSet<T>& parameters, std::string_view prefix, Index in, Index out,
                        Bias bias, Init weight) {
  in_ = in;
  out_ = out;
  weight_ = &parameters.add(std::string(prefix) + ".weight", {in, out}, weight);
  if (bias == Bias::none) return;
  const Init init = bias == Bias::zero ? Init::constant(0) : Init::uniform(default_width(in));
  bias_ = &parameters.add(std::string(prefix) + ".bias", {out}, init);
}

template <typename T>
void Linear<T>::product_block(Matrix<const T> x, Matrix<T> y) const {
  gemm<T>(x, weight(), y, Write::overwrite);
}

template <typename T>
void Linear<T>::forward_block(Matrix<const T> x, Matrix<T> y) const {
  product_block(x, y);
  if (bias_ == nullptr) return;
  for (Index r = 0; r < y.rows; ++r) {
    T* const row = y.data + r * y.stride;
    for (Index c = 0; c < out_; ++c) row[c] += bias_->value[c];
  }
}

template <typename T>
void Linear<T>::backward_input_block(Matrix<const T> dy, Matrix<T> dx, Write write) const {
  gemm_bt<T>(dy, weight(), dx, write);
}

template <typename T>
void Linear<T>::backward_parameters(Matrix<const T> x, Matrix<const T> dy) {
  parallel_gemm_at<T>(x, dy, {weight_->gradient, in_, out_});
  if (bias_ != nullptr) add_column_sums<T>(dy, bias_->gradient);
}

template <typename T>
void Linear<T>::forward(Matrix<const T> x, Matrix<T> y) const {
  for_row_blocks(x.rows, std::max(in_, out_), [&](Index first, Index count) {
    forward_block(x.row_block(first, count), y.row_block(first, count));
  });
}

template <typename T>
void Linear<T>::backward(Matrix<const T> x, Matrix<const T> dy, Matrix<T> dx, Write write) {
  for_row_blocks(dy.rows, std::max(in_, out_), [&](Index first, Index count) {
    backward_input_block(dy.row_block(first, count), dx.row_block(first, count), write);
  });
  backward_parameters(x, dy);
}

template void add_column_sums<float>(Matrix<const float>, float*);
template void add_column_sums<double>(Matrix<const double>, double*);
template class Linear<float>;
template class Linear<double>;

}  // namespace rlt
