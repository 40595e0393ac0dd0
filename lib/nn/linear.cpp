#include "nn/linear.hpp"

#include <cmath>
#include <string>

#include "tensor/lanes.hpp"
#include "tensor/transpose.hpp"

namespace rlt {

double default_bound(Index inputs) { return 1 / std::sqrt(static_cast<double>(inputs)); }

namespace {

// `count` vectors of columns at once, so that as many sums run side by side.
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
  Index first = 0;
  for (; first + width <= values.cols; first += width) {
    add_some_columns<vectors>(values, first, sums);
  }
  for (; first < values.cols; first += lane_count<T>) add_some_columns<1>(values, first, sums);
}

template <typename T>
void Linear<T>::declare(ParameterSet<T>& parameters, std::string_view prefix, Index in, Index out,
                        Bias bias) {
  declare(parameters, prefix, in, out, bias, init::uniform(default_bound(in)));
}

template <typename T>
void Linear<T>::declare(ParameterSet<T>& parameters, std::string_view prefix, Index in, Index out,
                        Bias bias, Init weight) {
  Parameter<T>& matrix = parameters.add(std::string(prefix) + ".weight", {in, out}, weight);
  attach(matrix, 0, in);
  if (bias == Bias::none) return;
  const Init init = bias == Bias::zero ? init::constant(0) : init::uniform(default_bound(in));
  bias_ = &parameters.add(std::string(prefix) + ".bias", {out}, init);
}

template <typename T>
void Linear<T>::attach(Parameter<T>& weight, Index first_input, Index in, Parameter<T>* bias) {
  in_ = in;
  out_ = weight.shape.back();
  first_input_ = first_input;
  weight_ = &weight;
  bias_ = bias;
}

template <typename T>
void Linear<T>::carve(Workspace& workspace, Index rows) {
  transposed_ = workspace.scratch.take<T>(in_, out_);
  partial_ = workspace.scratch.take<T>(part_count(rows), partial_size());
}

template <typename T>
void Linear<T>::product_block(Matrix<const T> x, Matrix<T> y, Write write) const {
  gemm<T>(x, weight(), y, write);
}

template <typename T>
void Linear<T>::forward(Matrix<const T> x, Matrix<T> y) const {
  for_row_blocks(x.rows, [&](const RowBlock& block) {
    const Matrix<T> above = block.of(y);
    product_block(block.of(x), above);
    if (bias_ == nullptr) return;
    for (Index r = 0; r < above.rows; ++r) {
      T* const row = above.data + r * above.stride;
      for (Index c = 0; c < out_; ++c) row[c] += bias_->value[c];
    }
  });
}

template <typename T>
void Linear<T>::begin_backward() {
  constexpr Index n = lane_count<T>;
  parallel_for(divide_up(out_, n), [&](Index index, int) {
    const Index col = index * n;
    const Index cols = std::min(n, out_ - col);
    transpose(weight().col_block(col, cols), Matrix<T>(transposed_ + col * in_, cols, in_));
  });
}

template <typename T>
void Linear<T>::backward_input_block(Matrix<const T> dy, Matrix<T> dx, Write write) const {
  // y = x W
  gemm<T>(dy, Matrix<const T>(transposed_, out_, in_), dx, write);
}

template <typename T>
void Linear<T>::backward_parameters_block(const RowBlock& block, Matrix<const T> x,
                                          Matrix<const T> dy) {
  T* const partial = partial_ + block.part * partial_size();
  // y = x W + b
  if (bias_ != nullptr) {
    T* const sums = partial + in_ * out_;
    if (block.opens) std::fill_n(sums, out_, T(0));
    add_column_sums<T>(dy, sums);
  }
  // x W
  gemm_at<T>(x, dy, {partial, in_, out_}, block.opens ? Write::overwrite : Write::add);
}

template <typename T>
void Linear<T>::end_backward(Index rows) {
  constexpr Index slice = 1024;
  const Index weights = in_ * out_;
  const auto add_parts = [&](Index first, Index count, T* gradient) {
    for (Index part = 0; part < part_count(rows); ++part) {
      const T* const partial = partial_ + part * partial_size() + first;
      for (Index i = 0; i < count; ++i) gradient[i] += partial[i];
    }
  };
  parallel_for(divide_up(weights, slice), [&](Index index, int) {
    const Index first = index * slice;
    add_parts(first, std::min(slice, weights - first),
              weight_->gradient + first_input_ * out_ + first);
  });
  if (bias_ != nullptr) add_parts(weights, out_, bias_->gradient);
}

template <typename T>
void Linear<T>::backward(Matrix<const T> x, Matrix<const T> dy, Matrix<T> dx) {
  begin_backward();
  for_row_blocks(dy.rows, [&](const RowBlock& block) {
    backward_parameters_block(block, block.of(x), block.of(dy));
    backward_input_block(block.of(dy), block.of(dx));
  });
  end_backward(dy.rows);
}

template <typename T>
void Linear<T>::backward_parameters(Matrix<const T> x, Matrix<const T> dy) {
  for_row_blocks(dy.rows, [&](const RowBlock& block) {
    backward_parameters_block(block, block.of(x), block.of(dy));
  });
  end_backward(dy.rows);
}

template void add_column_sums<float>(Matrix<const float>, float*);
template void add_column_sums<double>(Matrix<const double>, double*);
template class Linear<float>;
template class Linear<double>;

}  // namespace rlt
