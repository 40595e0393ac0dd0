// gated:        a = drop(relu(cell(norm(x))))
//   The layer of AGaLiTe and GaLiTe (arXiv 2310.15719); matrices orthogonal, times sqrt(2).
// gated_stream: a = drop(relu(cell(x)))
//   The GTrXL layer (arXiv 1910.06764) as in the same code, whose cell has a norm of its own, over its memory too;
//   LeCun normal matrices.
// Both: u = gate(x, a);  m = drop(relu(FF(norm(u))));  y = gate(u, m)
//   GRU gates (nn/gru_gate.hpp) in place of residuals, a relu behind the second layer of FF too, biases 0, norms
//   with Flax's epsilon 1e-6, and no norm after the last block.
#include <algorithm>
#include <cmath>
#include <string>

#include "blocks/block.hpp"
#include "blocks/wrapper.hpp"
#include "nn/elementwise.hpp"
#include "nn/feed_forward.hpp"
#include "nn/gru_gate.hpp"
#include "nn/norm.hpp"

namespace rlt {
namespace {

/// values <- relu(values) in rows that lie one behind the other.
template <typename T>
void relu(Matrix<T> values) {
  for (Index i = 0; i < values.rows * values.cols; ++i) {
    values.data[i] = std::max(values.data[i], T(0));
  }
}

/// dvalues <- 0 where values = relu(..) is 0, elsewhere dvalues times `scale`.
template <typename T>
void relu_backward(Matrix<const T> values, T scale, Matrix<T> dvalues) {
  for (Index i = 0; i < values.rows * values.cols; ++i) {
    dvalues.data[i] = values.data[i] > T(0) ? scale * dvalues.data[i] : T(0);
  }
}

template <std::floating_point T>
class Gated : public Wrapper<T> {
 public:
  /// `raw`: gated_stream.
  Gated(std::unique_ptr<Cell<T>> cell, Index width, Index inner, NormForm norm, bool raw)
      : Wrapper<T>(std::move(cell), width), inner_(inner), norm_form_(norm), raw_(raw) {}

  void declare(ParameterSet<T>& parameters, std::string_view prefix) override {
    constexpr double epsilon = 1e-6;
    const std::string name(prefix);
    const Init matrix = raw_ ? init::lecun_normal() : init::orthogonal(std::sqrt(2.0));
    if (!raw_) norm_.declare(parameters, name + ".norm", width_, norm_form_, epsilon);
    cell_->declare(parameters, name + ".cell");
    gate_.declare(parameters, name + ".gate", width_, matrix);
    feed_forward_norm_.declare(parameters, name + ".ff.norm", width_, norm_form_, epsilon);
    feed_forward_.declare(parameters, name + ".ff", width_, inner_, matrix);
    feed_forward_gate_.declare(parameters, name + ".ff.gate", width_, matrix);
  }

  void carve(Workspace& workspace, Extent largest) override {
    const Index tokens = largest.rows();
    if (!raw_) normal_ = workspace.tape.take<T>(tokens, width_);
    mixed_ = workspace.tape.take<T>(tokens, width_);
    middle_ = workspace.tape.take<T>(tokens, width_);
    middle_normal_ = workspace.tape.take<T>(tokens, width_);
    branch_ = workspace.tape.take<T>(tokens, width_);
    const ScratchScope scope(workspace);
    dmixed_ = workspace.scratch.take<T>(tokens, width_);
    dmiddle_ = workspace.scratch.take<T>(tokens, width_);
    dbranch_ = workspace.scratch.take<T>(tokens, width_);
    din_ = workspace.scratch.take<T>(tokens, width_);
    if (!raw_) norm_.carve(workspace, tokens);
    feed_forward_norm_.carve(workspace, tokens);
    gate_.carve(workspace, tokens);
    feed_forward_gate_.carve(workspace, tokens);
    cell_->carve(workspace, largest);
    feed_forward_.carve(workspace, tokens);
  }

  void forward(Sequence<const T> x, const Pass<T>& pass, Sequence<T> y) override {
    const Extent extent = x.extent;
    if (!raw_) norm_.forward(x.rows, rows(extent, normal_));
    cell_->forward(cell_input(x), this->cell_pass(pass), sequence(extent, mixed_));
    after_cell_ = pass.dropout.stream(Site::after_cell);
    feed_forward_.begin_forward(pass.dropout.stream(Site::in_feed_forward),
                                pass.dropout.stream(Site::after_feed_forward));
    for_row_blocks(extent.rows(), [&](const RowBlock& block) {
      const Matrix<T> mixed = block.of(rows(extent, mixed_));
      const Matrix<T> middle = block.of(rows(extent, middle_));
      const Matrix<T> middle_normal = block.of(rows(extent, middle_normal_));
      const Matrix<T> branch = block.of(rows(extent, branch_));
      relu(mixed);
      after_cell_.apply_block(mixed.data, block.first * width_, block.count * width_);
      gate_.forward_block(block, block.of(x.rows), mixed, middle);
      feed_forward_norm_.forward_block(block, middle, middle_normal);
      feed_forward_.forward_block(block, middle_normal, {nullptr, 0, 0}, branch);
      relu(branch);
      feed_forward_gate_.forward_block(block, middle, branch, block.of(y.rows));
    });
  }

  void backward(Sequence<const T> x, Sequence<const T> dy, Sequence<T> dx) override {
    const Extent extent = x.extent;
    const T scale = static_cast<T>(1 / (1 - after_cell_.rate));
    for (GruGate<T>* const gate : {&gate_, &feed_forward_gate_}) gate->begin_backward();
    feed_forward_.begin_backward();
    for_row_blocks(extent.rows(), [&](const RowBlock& block) {
      const Matrix<const T> mixed = block.of(rows(extent, mixed_));
      const Matrix<const T> middle = block.of(rows(extent, middle_));
      const Matrix<const T> branch = block.of(rows(extent, branch_));
      const Matrix<T> dmixed = block.of(rows(extent, dmixed_));
      const Matrix<T> dmiddle = block.of(rows(extent, dmiddle_));
      const Matrix<T> dbranch = block.of(rows(extent, dbranch_));
      // y = gate(u, m)
      feed_forward_gate_.backward_block(block, middle, branch, block.of(dy.rows), dmiddle, dbranch);
      // m = drop(relu(FF(norm(u)))): FF has the dropout, which a relu lets pass
      relu_backward(branch, T(1), dbranch);
      feed_forward_.backward_block(block, block.of(rows(extent, middle_normal_)), dbranch, dbranch);
      feed_forward_norm_.backward_block(block, middle, dbranch, dmiddle.data, dmiddle);
      // u = gate(x, a)
      gate_.backward_block(block, block.of(x.rows), mixed, dmiddle, block.of(dx.rows), dmixed);
      // a = drop(relu(cell(..)))
      relu_backward(mixed, scale, dmixed);
    });
    for (GruGate<T>* const gate : {&gate_, &feed_forward_gate_}) gate->end_backward(extent.rows());
    feed_forward_.end_backward(extent.rows());
    feed_forward_norm_.end_backward(extent.rows());
    // cell(norm(x)), or cell(x)
    cell_->backward(cell_input(x), sequence(extent, dmixed_), sequence(extent, din_));
    if (raw_) {
      add(dx.rows.data, din_, dx.rows.data, extent.rows() * width_);
    } else {
      norm_.backward(x.rows, rows(extent, din_), dx.rows.data, dx.rows);
    }
  }

 private:
  using typename Wrapper<T>::Site;
  using Wrapper<T>::cell_;
  using Wrapper<T>::width_;
  using Wrapper<T>::rows;
  using Wrapper<T>::sequence;

  Sequence<const T> cell_input(Sequence<const T> x) const {
    return raw_ ? x : sequence(x.extent, normal_);
  }

  Index inner_;
  NormForm norm_form_;
  bool raw_;
  Norm<T> norm_;
  GruGate<T> gate_;
  Norm<T> feed_forward_norm_;
  FeedForward<T> feed_forward_;
  GruGate<T> feed_forward_gate_;
  Dropout after_cell_;
  T* normal_ = nullptr;         // norm(x)
  T* mixed_ = nullptr;          // a
  T* middle_ = nullptr;         // u
  T* middle_normal_ = nullptr;  // norm(u)
  T* branch_ = nullptr;         // m
  T* dmixed_ = nullptr;         // scratch of backward
  T* dmiddle_ = nullptr;
  T* dbranch_ = nullptr;
  T* din_ = nullptr;  // of what the cell reads
};

template <std::floating_point T, bool raw>
std::unique_ptr<Cell<T>> make_gated(std::unique_ptr<Cell<T>> cell, Index width, Index inner,
                                    NormForm norm) {
  return std::make_unique<Gated<T>>(std::move(cell), width, inner, norm, raw);
}

}  // namespace

BlockEntry blocks::gated() {
  return {{.name = "gated",
           .equation = "u = gate(x, relu(cell(norm(x)))); y = gate(u, relu(FF(norm(u))))"},
          make_gated<float, false>,
          make_gated<double, false>};
}

BlockEntry blocks::gated_stream() {
  return {{.name = "gated_stream",
           .equation = "u = gate(x, relu(cell(x))); y = gate(u, relu(FF(norm(u))))"},
          make_gated<float, true>,
          make_gated<double, true>};
}

}  // namespace rlt
