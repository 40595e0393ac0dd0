// The pre-norm feed-forward half of a block: y = x + drop(FF(LN(x))).
#pragma once

#include <string>
#include <string_view>

#include "nn/feed_forward.hpp"
#include "nn/layer_norm.hpp"

namespace rlt {

template <typename T>
class FeedForwardSublayer {
 public:
  void declare(ParameterSet<T>& parameters, std::string_view prefix, Index width, Index inner) {
    norm_.declare(parameters, std::string(prefix) + ".norm", width);
    feed_forward_.declare(parameters, prefix, width, inner);
    width_ = width;
  }

  void carve(Workspace& workspace, Index rows) {
    normal_ = workspace.tape.take<T>(rows * width_);
    const ScratchScope scope(workspace);
    dnormal_ = workspace.scratch.take<T>(rows * width_);
    norm_.carve(workspace, rows);
    feed_forward_.carve(workspace, rows);
  }

  void forward(Matrix<const T> x, Matrix<T> y, const Dropout& inside, const Dropout& after) {
    const Matrix<T> normal(normal_, x.rows, width_);
    norm_.forward(x, normal);
    feed_forward_.forward(normal, x, y, inside, after);
  }

  /// dx may not be dy.
  void backward(Matrix<const T> x, Matrix<const T> dy, Matrix<T> dx) {
    const Matrix<T> dnormal(dnormal_, x.rows, width_);
    feed_forward_.backward({normal_, x.rows, width_}, dy, dnormal);
    norm_.backward(x, dnormal, dy.data, dx);
  }

 private:
  Index width_ = 0;
  LayerNorm<T> norm_;
  FeedForward<T> feed_forward_;
  T* normal_ = nullptr;
  T* dnormal_ = nullptr;
};

}  // namespace rlt
