// What reads the last layer's output h: a linear map, two with a tanh between them, or the table of input tokens.
//   outputs = scale times one of: h W + b      tanh(h W_1 + b_1) W_2 + b_2      h E^T
#pragma once

#include <string>

#include "nn/linear.hpp"
#include "nn/unembedding.hpp"
#include "tensor/arena.hpp"

namespace rlt {

struct HeadConfig {
  std::string name;
  Index outputs = 0;
  /// Width between two maps, whose matrices are then orthogonal times sqrt(2), the biases 0 (arXiv 2310.15719);
  /// 0: one map as torch starts it.
  Index hidden = 0;
  bool tied = false;  // outputs are input tokens, and their table E is the map
  double scale = 1;   // of the outputs
};

template <std::floating_point T>
class Head {
 public:
  /// Reads `width` numbers.
  Head(const HeadConfig& config, Index width) : config_(config), width_(width) {}

  /// Parameters name.weight and name.bias, or those of name.hidden and name.out, or none of its own.
  void declare(ParameterSet<T>& parameters);
  void carve(Workspace& workspace, Index rows);

  Index outputs() const { return config_.outputs; }
  void forward(Matrix<const T> h, Matrix<T> outputs);
  /// Overwrites dh; adds to the gradients of the parameters.
  void backward(Matrix<const T> h, Matrix<const T> doutputs, Matrix<T> dh);

 private:
  bool is_deep() const { return config_.hidden > 0; }
  void map(Matrix<const T> h, Matrix<T> outputs);
  void map_backward(Matrix<const T> h, Matrix<const T> doutputs, Matrix<T> dh);
  Matrix<T> hidden_rows(Index rows, T* data) const { return {data, rows, config_.hidden}; }

  HeadConfig config_;
  Index width_;
  Linear<T> first_;  // unused without a hidden layer
  Linear<T> last_;
  Unembedding<T> table_;  // tied
  T* hidden_ = nullptr;   // tape: (rows, hidden), after tanh
  // scratch
  T* dhidden_ = nullptr;
  T* dunscaled_ = nullptr;  // (rows, outputs) gradient before the scale
};

}  // namespace rlt
