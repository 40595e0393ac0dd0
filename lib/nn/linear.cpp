#include "nn/linear.hpp"

#include <cmath>
#include <string>

#include "tensor/lanes.hpp"

namespace rlt {

double default_width(Index inputs) { return 1 / std::sqrt(static_cast<double>(inputs)); }

template <typename T>
void add_column_sums(Matrix<const T> values, T* sums) {
  constexpr Index n = lane_count<T>;
  constexpr Index width_of_block = 2 * n;
  parallel_for(divide_up(values.cols, width_of_block), [&](Index block, int) {
    const Index last = std::min(values.cols, width_of_block * (block + 1));
    for (Index c = width_of_block * block; c < last; c += n) {
      const Index width = values.cols - c;
      Lanes<T> sum = load_lanes(sums + c, width);
      for (Index r = 0; r < values.rows; ++r) {
        sum += load_lanes(values.data + r * values.stride + c, width);
      }
      store_lanes(sums + c, sum, width);
    }
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
