#include "nn/linear.hpp"

#include <cmath>
#include <string>

#include "tensor/lanes.hpp"

namespace rlt {

double default_width(Index inputs) { return 1 / std::sqrt(static_cast<double>(inputs)); }

template <typename T>
void add_column_sums(Matrix<const T> values, T* sums) {
  constexpr Index n = lane_count<T>;
  parallel_for(divide_up(values.cols, 4 * n), [&](Index block, int) {
    for (Index c = 4 * n * block; c < std::min(values.cols, 4 * n * (block + 1)); c += n) {
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
void Linear<T>::forward_block(Matrix<const T> x, Matrix<T> y) const {
  if (bias_ == nullptr) {
    gemm<T>(x, weight(), y, Write::overwrite);
    return;
  }
  for (Index r = 0; r < y.rows; ++r) std::copy_n(bias_->value, out_, y.data + r * y.stride);
  gemm<T>(x, weight(), y, Write::add);
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
