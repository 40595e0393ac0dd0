// postnorm: m = norm(x + drop(cell(x))); y = norm(m + drop(FF(m)))
// The encoder layer of Vaswani et al. 2017 (arXiv 1706.03762), as torch builds it.
#include <string>

#include "blocks/block.hpp"
#include "blocks/wrapper.hpp"
#include "nn/elementwise.hpp"
#include "nn/feed_forward.hpp"
#include "nn/norm.hpp"

namespace rlt {
namespace {

template <std::floating_point T>
class Postnorm : public Wrapper<T> {
 public:
  Postnorm(std::unique_ptr<Cell<T>> cell, Index width, Index inner, NormForm norm)
      : Wrapper<T>(std::move(cell), width), inner_(inner), norm_form_(norm) {}

  void declare(ParameterSet<T>& parameters, std::string_view prefix) override {
    cell_->declare(parameters, std::string(prefix) + ".cell");
    norm_.declare(parameters, std::string(prefix) + ".norm", width_, norm_form_);
    feed_forward_.declare(parameters, std::string(prefix) + ".ff", width_, inner_);
    feed_forward_norm_.declare(parameters, std::string(prefix) + ".ff.norm", width_, norm_form_);
  }

  void carve(Workspace& workspace, Extent largest) override {
    const Index tokens = largest.rows();
    mixed_sum_ = workspace.tape.take<T>(tokens, width_);
    middle_ = workspace.tape.take<T>(tokens, width_);
    sum_ = workspace.tape.take<T>(tokens, width_);
    const ScratchScope scope(workspace);
    dsum_ = workspace.scratch.take<T>(tokens, width_);
    dmixed_ = workspace.scratch.take<T>(tokens, width_);
    dmiddle_ = workspace.scratch.take<T>(tokens, width_);
    norm_.carve(workspace, tokens);
    feed_forward_norm_.carve(workspace, tokens);
    cell_->carve(workspace, largest);
    feed_forward_.carve(workspace, tokens);
  }

  void forward(Sequence<const T> x, const Pass<T>& pass, Sequence<T> y) override {
    const Extent extent = x.extent;
    cell_->forward(x, this->cell_pass(pass), sequence(extent, mixed_sum_));
    after_cell_ = pass.dropout.stream(Site::after_cell);
    feed_forward_.begin_forward(pass.dropout.stream(Site::in_feed_forward),
                                pass.dropout.stream(Site::after_feed_forward));
    for_row_blocks(extent.rows(), [&](const RowBlock& block) {
      const Matrix<T> middle = block.of(rows(extent, middle_));
      const Matrix<T> sum = block.of(rows(extent, sum_));
      add_to_dropped(block, x.rows.data, after_cell_, mixed_sum_);
      norm_.forward_block(block, block.of(rows(extent, mixed_sum_)), middle);
      feed_forward_.forward_block(block, middle, middle, sum);
      feed_forward_norm_.forward_block(block, sum, block.of(y.rows));
    });
  }

  void backward(Sequence<const T> x, Sequence<const T> dy, Sequence<T> dx) override {
    const Extent extent = x.extent;
    feed_forward_.begin_backward();
    for_row_blocks(extent.rows(), [&](const RowBlock& block) {
      const Matrix<T> dsum = block.of(rows(extent, dsum_));
      const Matrix<T> dmiddle = block.of(rows(extent, dmiddle_));
      // y = norm(m + drop(FF(m)))
      feed_forward_norm_.backward_block(block, block.of(rows(extent, sum_)), block.of(dy.rows),
                                        nullptr, dsum);
      // m + drop(FF(m))
      feed_forward_.backward_block(block, block.of(rows(extent, middle_)), dsum, dmiddle);
      for (Index i = 0; i < block.count * width_; ++i) dmiddle.data[i] += dsum.data[i];
      // m = norm(x + drop(cell(x)))
      norm_.backward_block(block, block.of(rows(extent, mixed_sum_)), dmiddle, nullptr, dsum);
      // x + drop(cell(x))
      copy_dropped(block, dsum_, after_cell_, dmixed_);
    });
    feed_forward_norm_.end_backward(extent.rows());
    feed_forward_.end_backward(extent.rows());
    norm_.end_backward(extent.rows());
    cell_->backward(x, sequence(extent, after_cell_.active() ? dmixed_ : dsum_), dx);
    add(dx.rows.data, dsum_, dx.rows.data, extent.rows() * width_);
  }

 private:
  using typename Wrapper<T>::Site;
  using Wrapper<T>::cell_;
  using Wrapper<T>::width_;
  using Wrapper<T>::rows;
  using Wrapper<T>::sequence;
  using Wrapper<T>::add_to_dropped;
  using Wrapper<T>::copy_dropped;

  Index inner_;
  NormForm norm_form_;
  Norm<T> norm_;
  Norm<T> feed_forward_norm_;
  FeedForward<T> feed_forward_;
  Dropout after_cell_;
  T* mixed_sum_ = nullptr;  // x + drop(cell(x))
  T* middle_ = nullptr;     // m
  T* sum_ = nullptr;        // m + drop(FF(m))
  T* dsum_ = nullptr;       // scratch of backward
  T* dmixed_ = nullptr;
  T* dmiddle_ = nullptr;
};

template <std::floating_point T>
std::unique_ptr<Cell<T>> make_postnorm(std::unique_ptr<Cell<T>> cell, Index width, Index inner,
                                       NormForm norm) {
  return std::make_unique<Postnorm<T>>(std::move(cell), width, inner, norm);
}

}  // namespace

BlockEntry blocks::postnorm() {
  return {{.name = "postnorm",
           .equation = "m = norm(x + cell(x)); y = norm(m + FF(m)); one more norm at the top",
           .top = Top::norm},
          make_postnorm<float>,
          make_postnorm<double>};
}

}  // namespace rlt
