// The pre-norm feed-forward half of a block: y = x + drop(FF(LN(x))).
#pragma once

#include <string>
#include <string_view>

#include "nn/elementwise.hpp"
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
    norm_.carve(workspace, rows);
    normal_ = workspace.tape.take<T>(rows * width_);
    const ScratchScope scope(workspace);
    dbranch_ = workspace.scratch.take<T>(rows * width_);
    dnormal_ = workspace.scratch.take<T>(rows * width_);
    feed_forward_.carve(workspace, rows);
  }

  void forward(Matrix<const T> x, Matrix<T> y, const Dropout& inside, const Dropout& after) {
    after_ = after;
    norm_.forward(x, {normal_, x.rows, width_});
    feed_forward_.forward({normal_, x.rows, width_}, y, inside);
    after.apply(y.data, x.rows * width_);
    add(x.data, y.data, y.data, x.rows * width_);
  }

  /// dx may not be dy.
  void backward(Matrix<const T> x, Matrix<const T> dy, Matrix<T> dx) {
    const Index count = x.rows * width_;
    const T* const dbranch = after_.applied(dy.data, dbranch_, count);
    feed_forward_.backward({normal_, x.rows, width_}, {dbranch, x.rows, width_},
                           {dnormal_, x.rows, width_});
    norm_.backward(x, {dnormal_, x.rows, width_}, dx);
    add(dx.data, dy.data, dx.data, count);
  }

 private:
  Index width_ = 0;
  LayerNorm<T> norm_;
  FeedForward<T> feed_forward_;
  Dropout after_;
  T* normal_ = nullptr;
  T* dbranch_ = nullptr;
  T* dnormal_ = nullptr;
};

}  // namespace rlt
