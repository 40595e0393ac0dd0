// One learned number for each head that multiplies its attention scores: a = |alpha|.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include "nn/parameter.hpp"

namespace rlt {

template <std::floating_point T>
class LearnedScale {
 public:
  explicit LearnedScale(Index heads) : heads_(heads) {}

  /// Parameter `name` (heads), 1 at the start.
  void declare(ParameterSet<T>& parameters, const std::string& name) {
    alpha_ = &parameters.add(name, {heads_}, init::constant(1));
  }
  /// The scratch belongs to the caller's ScratchScope.
  void carve(Workspace& workspace, Index sequences) {
    partial_ = workspace.scratch.take<T>(sequences, heads_);
  }
  T operator()(Index head) const { return std::abs(alpha_->value[head]); }

  /// Backward: `begin_backward`, da of each of the sequences, `end_backward`.
  void begin_backward(Index sequences) { std::fill_n(partial_, sequences * heads_, T(0)); }
  T* gradient(Index sequence, Index head) const { return partial_ + sequence * heads_ + head; }
  // a = |alpha|
  void end_backward(Index sequences) {
    for (Index i = 0; i < sequences * heads_; ++i) {
      const Index head = i % heads_;
      alpha_->gradient[head] += alpha_->value[head] < 0 ? -partial_[i] : partial_[i];
    }
  }

 private:
  Index heads_;
  Parameter<T>* alpha_ = nullptr;
  T* partial_ = nullptr;  // (sequences, heads)
};

}  // namespace rlt
