// The frame of the cells that are softmax attention between two projections: y = W_o attention(W_slow x).
// A `Form` says what they differ in:
//   static constexpr bool drops_weights;  // dropout on the attention weights
//   static void declare(ParameterSet<T>&, name, width, Linear<T>& slow, Linear<T>& out);
#pragma once

#include <string>
#include <string_view>

#include "cells/attention.hpp"
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

  Index state_size(Index context) const override { return attention_.state_size(context); }
  void initial_state(Matrix<T> state) const override { attention_.initial_state(state); }

  void forward(Extent extent, const Tensor<T, 3>& x, const Carry<T>& carry,
               Tensor<T, 3>& y) override {
    const Index rows = extent.rows();
    slow_.forward({x.data(), rows, width_}, {projected_, rows, 3 * width_});
    Carry<T> inner = carry;
    if constexpr (!Form::drops_weights) inner.dropout = {};
    attention_.forward(extent, inner, {projected_, rows, 3 * width_}, {mixed_, rows, width_});
    out_.forward({mixed_, rows, width_}, {y.data(), rows, width_});
  }

  void backward(Extent extent, const Tensor<T, 3>& x, const Tensor<T, 3>& dy,
                Tensor<T, 3>& dx) override {
    const Index rows = extent.rows();
    out_.backward({mixed_, rows, width_}, {dy.data(), rows, width_}, {dmixed_, rows, width_});
    attention_.backward(extent, {projected_, rows, 3 * width_}, {mixed_, rows, width_},
                        {dmixed_, rows, width_}, {dprojected_, rows, 3 * width_});
    slow_.backward({x.data(), rows, width_}, {dprojected_, rows, 3 * width_},
                   {dx.data(), rows, width_});
  }

 private:
  Index width_;
  Linear<T> slow_;
  Linear<T> out_;
  Attention<T> attention_;
  // tape
  T* projected_ = nullptr;  // (B T, 3 D) q | k | v
  T* mixed_ = nullptr;      // (B T, D) the heads' outputs
  // scratch
  T* dprojected_ = nullptr;
  T* dmixed_ = nullptr;
};

}  // namespace rlt
