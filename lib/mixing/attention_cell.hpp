// The frame of the cells that are softmax attention between two projections:
//   q | k | v = x W_slow      o = attention(q, k, v)      y = o W_out
// A `Form` says what they differ in:
//   static constexpr bool drops_weights;  // dropout on the attention weights
//   static void declare(ParameterSet<T>&, name, width, Linear<T>& slow, Linear<T>& out);
#pragma once

#include <string>
#include <string_view>

#include "mixing/attention.hpp"
#include "nn/linear.hpp"

namespace rlt {

template <std::floating_point T, typename Form>
class AttentionCell : public Cell<T> {
 public:
  explicit AttentionCell(const CellConfig& config) : width_(config.d_model), attention_(config) {}

  void declare(ParameterSet<T>& parameters, std::string_view prefix) override {
    Form::declare(parameters, std::string(prefix), width_, slow_, out_);
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

  StateLayout state_layout(Index context) const override {
    return attention_.state_layout(context);
  }
  void initial_state(Matrix<T> state) const override { attention_.initial_state(state); }

  void forward(Sequence<const T> x, const Pass<T>& pass, Sequence<T> y) override {
    const Index rows = x.extent.rows();
    const Matrix<T> projected(projected_, rows, 3 * width_);
    const Matrix<T> mixed(mixed_, rows, width_);
    slow_.forward(x.rows, projected);
    Pass<T> attention_pass = pass;
    if constexpr (!Form::drops_weights) attention_pass.dropout = {};
    attention_.forward(x.extent, attention_pass, projected, mixed);
    out_.forward(mixed, y.rows);
  }

  void backward(Sequence<const T> x, Sequence<const T> dy, Sequence<T> dx) override {
    const Index rows = x.extent.rows();
    const Matrix<const T> projected(projected_, rows, 3 * width_);
    const Matrix<const T> mixed(mixed_, rows, width_);
    const Matrix<T> dprojected(dprojected_, rows, 3 * width_);
    const Matrix<T> dmixed(dmixed_, rows, width_);
    // y = o W_out
    out_.backward(mixed, dy.rows, dmixed);
    // o = attention(q, k, v)
    attention_.backward(x.extent, projected, mixed, dmixed, dprojected);
    // q | k | v = x W_slow
    slow_.backward(x.rows, dprojected, dx.rows);
  }

 private:
  Index width_;
  Linear<T> slow_;
  Linear<T> out_;
  Attention<T> attention_;
  // tape
  T* projected_ = nullptr;  // (B T, 3 D) q | k | v
  T* mixed_ = nullptr;      // (B T, D) o
  // scratch
  T* dprojected_ = nullptr;
  T* dmixed_ = nullptr;
};

}  // namespace rlt
