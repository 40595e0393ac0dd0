#include "nn/feed_forward.hpp"

#include <algorithm>
#include <string>

#include "tensor/lanes.hpp"

namespace rlt {
namespace {

// function(column, its bias or 0); a choice inside the loop would keep it from running in lanes.
template <typename T, typename Function>
void for_columns(const T* bias, Index count, const Function& function) {
  if (bias == nullptr) {
    for (Index c = 0; c < count; ++c) function(c, T(0));
  } else {
    for (Index c = 0; c < count; ++c) function(c, bias[c]);
  }
}

}  // namespace

template <typename T>
void FeedForward<T>::declare(ParameterSet<T>& parameters, std::string_view prefix, Index width,
                             Index inner) {
  up_.declare(parameters, std::string(prefix) + ".up", width, inner, Bias::uniform);
  down_.declare(parameters, std::string(prefix) + ".down", inner, width, Bias::uniform);
}

template <typename T>
void FeedForward<T>::declare(ParameterSet<T>& parameters, std::string_view prefix, Index width,
                             Index inner, const Init& weight, Bias bias) {
  up_.declare(parameters, std::string(prefix) + ".up", width, inner, bias, weight);
  down_.declare(parameters, std::string(prefix) + ".down", inner, width, bias, weight);
}

template <typename T>
void FeedForward<T>::carve(Workspace& workspace, Index rows) {
  hidden_ = workspace.tape.take<T>(rows, up_.outputs());
  const ScratchScope scope(workspace);
  dhidden_ = workspace.scratch.take<T>(thread_count(), block_rows, up_.outputs());
  dbranch_ = workspace.scratch.take<T>(thread_count(), block_rows, down_.outputs());
  up_.carve(workspace, rows);
  down_.carve(workspace, rows);
}

template <typename T>
void FeedForward<T>::begin_forward(const Dropout& inside, const Dropout& after) {
  inside_ = inside;
  after_ = after;
}

template <typename T>
void FeedForward<T>::forward_block(const RowBlock& block, Matrix<const T> x,
                                   Matrix<const T> residual, Matrix<T> y) {
  const Index inner = up_.outputs();
  const Index width = down_.outputs();
  const Matrix<T> hidden(hidden_ + block.first * inner, block.count, inner);
  up_.product_block(x, hidden);
  for (Index r = 0; r < block.count; ++r) {
    T* const row = hidden.data + r * inner;
    for_columns(up_.bias(), inner,
                [row](Index c, T bias) { row[c] = std::max(row[c] + bias, T(0)); });
  }
  inside_.apply_block(hidden.data, block.first * inner, block.count * inner);
  down_.product_block(hidden, y);
  for (Index r = 0; r < block.count; ++r) {
    T* const row = y.data + r * y.stride;
    const auto kept = [&](Index c) {
      return residual.data == nullptr ? T(0) : residual.data[r * residual.stride + c];
    };
    if (after_.active()) {
      const Index first = (block.first + r) * width;
      for_columns(down_.bias(), width, [&](Index c, T bias) {
        row[c] = kept(c) + (row[c] + bias) * after_.template factor<T>(first + c);
      });
    } else {
      for_columns(down_.bias(), width, [&](Index c, T bias) { row[c] += kept(c) + bias; });
    }
  }
}

template <typename T>
void FeedForward<T>::begin_backward() {
  up_.begin_backward();
  down_.begin_backward();
}

template <typename T>
void FeedForward<T>::backward_block(const RowBlock& block, Matrix<const T> x, Matrix<const T> dy,
                                    Matrix<T> dx) {
  const Index inner = up_.outputs();
  const Index width = down_.outputs();
  const Index slot = block.thread * block_rows;
  // y = r + drop(branch)
  Matrix<const T> dbranch = dy;
  if (after_.active()) {
    T* const dropped = dbranch_ + slot * width;
    for (Index r = 0; r < block.count; ++r) {
      std::copy_n(dy.data + r * dy.stride, width, dropped + r * width);
    }
    after_.apply_block(dropped, block.first * width, block.count * width);
    dbranch = {dropped, block.count, width};
  }
  const Matrix<const T> hidden(hidden_ + block.first * inner, block.count, inner);
  const Matrix<T> dhidden(dhidden_ + slot * inner, block.count, inner);
  // branch = h W_down + b_down
  down_.backward_parameters_block(block, hidden, dbranch);
  down_.backward_input_block(dbranch, dhidden);
  // h = drop(relu(a)): no gradient passes where h is 0; elsewhere dropout scales it
  const T scale = static_cast<T>(1 / (1 - inside_.rate));
  for (Index i = 0; i < block.count * inner; i += lane_count<T>) {
    const Index left = block.count * inner - i;
    const Lanes<T> slope = load_lanes(dhidden.data + i, left) * scale;
    const auto passes = load_lanes(hidden.data + i, left) > Lanes<T>(T(0));
    store_lanes(dhidden.data + i, xsimd::select(passes, slope, Lanes<T>(T(0))), left);
  }
  // a = x W_up + b_up
  up_.backward_parameters_block(block, x, dhidden);
  up_.backward_input_block(dhidden, dx);
}

template <typename T>
void FeedForward<T>::end_backward(Index rows) {
  up_.end_backward(rows);
  down_.end_backward(rows);
}

template class FeedForward<float>;
template class FeedForward<double>;

}  // namespace rlt
