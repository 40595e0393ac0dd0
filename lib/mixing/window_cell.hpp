// The cell of a layer that attends through a window, and nothing else:
//   q | k | v = x W_slow      o = window attention (window_attention.hpp)      y = o W_out
#pragma once

#include <string>
#include <string_view>

#include "mixing/window_attention.hpp"
#include "nn/linear.hpp"

namespace rlt {

/// Also an option of the cells: the number of steps that a step sees.
inline Option window_option() {
  return {.name = "window",
          .value = "64",
          .help = "steps W that a step sees, all before it",
          .choices = {},
          .low = 1,
          .high = 2048,
          .whole = true};
}

template <std::floating_point T>
class WindowCell : public Cell<T> {
 public:
  explicit WindowCell(const CellConfig& config)
      : width_(config.d_model), attention_(config, config.count("window")) {}

  void declare(ParameterSet<T>& parameters, std::string_view prefix) override {
    const std::string name(prefix);
    slow_.declare(parameters, name + ".slow", width_, 3 * width_, Bias::none, init::lecun_normal());
    attention_.declare(parameters, name);
    out_.declare(parameters, name + ".out", width_, width_, Bias::none, init::lecun_normal());
  }

  void carve(Workspace& workspace, Extent largest) override {
    projected_ = workspace.tape.take<T>(largest.rows(), 3, width_);
    mixed_ = workspace.tape.take<T>(largest.rows(), width_);
    const ScratchScope scope(workspace);
    dprojected_ = workspace.scratch.take<T>(largest.rows(), 3, width_);
    dmixed_ = workspace.scratch.take<T>(largest.rows(), width_);
    slow_.carve(workspace, largest.rows());
    out_.carve(workspace, largest.rows());
    attention_.carve(workspace, largest);
  }

  StateLayout state_layout(Index /*context*/) const override {
    return {.pieces = attention_.keys().pieces()};
  }
  void initial_state(Matrix<T> state) const override {
    for (Index b = 0; b < state.rows; ++b) std::fill_n(state.row(b), state.cols, T(0));
  }

  void forward(Sequence<const T> x, const Pass<T>& pass, Sequence<T> y) override {
    const Index rows = x.extent.rows();
    const Matrix<T> projected(projected_, rows, 3 * width_);
    const Matrix<T> mixed(mixed_, rows, width_);
    slow_.forward(x.rows, projected);
    attention_.forward(x.extent, pass, pass.state, projected, mixed);
    out_.forward(mixed, y.rows);
  }

  void backward(Sequence<const T> x, Sequence<const T> dy, Sequence<T> dx) override {
    const Index rows = x.extent.rows();
    const Matrix<const T> projected(projected_, rows, 3 * width_);
    const Matrix<T> dprojected(dprojected_, rows, 3 * width_);
    const Matrix<T> dmixed(dmixed_, rows, width_);
    // y = o W_out
    out_.backward(Matrix<const T>(mixed_, rows, width_), dy.rows, dmixed);
    // o = window attention
    attention_.backward(x.extent, projected, dmixed, dprojected);
    attention_.end_backward(projected, dprojected);
    // q | k | v = x W_slow
    slow_.backward(x.rows, dprojected, dx.rows);
  }

 private:
  Index width_;
  Linear<T> slow_;
  Linear<T> out_;
  WindowAttention<T> attention_;
  // tape
  T* projected_ = nullptr;  // (B T, 3 D) q | k | v, the first two of unit length
  T* mixed_ = nullptr;      // (B T, D) o
  // scratch
  T* dprojected_ = nullptr;
  T* dmixed_ = nullptr;
};

}  // namespace rlt
