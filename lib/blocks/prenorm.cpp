// prenorm:  m = x + drop(cell(LN(x)));  y = m + drop(FF(LN(m)))
//   Official form of arXiv 2106.06295 and 2310.16076 (ids 2, 3, 7, 8, 9): no norm after the last block.
// skipnorm: m = LN(x) + drop(cell(x));  y = m + drop(FF(LN(m)))
//   The SRWM layer of arXiv 2310.16076: the cell sees the raw stream, the norm sits on the skip path.
#include <string>

#include "blocks/block.hpp"
#include "blocks/wrapper.hpp"
#include "nn/feed_forward.hpp"
#include "nn/layer_norm.hpp"

namespace rlt {
namespace {

template <std::floating_point T>
class Prenorm : public Wrapper<T> {
 public:
  /// `norm_on_skip`: skipnorm.
  Prenorm(std::unique_ptr<Cell<T>> cell, Index width, Index inner, bool norm_on_skip)
      : Wrapper<T>(std::move(cell), width), inner_(inner), norm_on_skip_(norm_on_skip) {}

  void declare(ParameterSet<T>& parameters, std::string_view prefix) override {
    norm_.declare(parameters, std::string(prefix) + ".norm", width_);
    cell_->declare(parameters, std::string(prefix) + ".cell");
    feed_forward_norm_.declare(parameters, std::string(prefix) + ".ff.norm", width_);
    feed_forward_.declare(parameters, std::string(prefix) + ".ff", width_, inner_);
  }

  void carve(Workspace& workspace, Extent largest) override {
    const Index tokens = largest.rows();
    normal_ = workspace.tape.take<T>(tokens, width_);
    middle_ = workspace.tape.take<T>(tokens, width_);
    middle_normal_ = workspace.tape.take<T>(tokens, width_);
    const ScratchScope scope(workspace);
    dmiddle_ = workspace.scratch.take<T>(tokens, width_);
    dmixed_ = workspace.scratch.take<T>(tokens, width_);
    dnormal_ = workspace.scratch.take<T>(tokens, width_);
    norm_.carve(workspace, tokens);
    feed_forward_norm_.carve(workspace, tokens);
    cell_->carve(workspace, largest);
    feed_forward_.carve(workspace, tokens);
  }

  void forward(Extent extent, const Tensor<T, 3>& x, const Carry<T>& carry,
               Tensor<T, 3>& y) override {
    norm_.forward(rows(extent, x.data()), rows(extent, normal_));
    const Tensor<T, 3> normal = sequence(extent, normal_);
    const T* const skip = norm_on_skip_ ? normal_ : x.data();
    Tensor<T, 3> mixed = sequence(extent, middle_);
    cell_->forward(extent, norm_on_skip_ ? x : normal, this->inner(carry), mixed);
    after_cell_ = carry.dropout.stream(Site::after_cell);
    feed_forward_.begin_forward(carry.dropout.stream(Site::in_feed_forward),
                                carry.dropout.stream(Site::after_feed_forward));
    for_row_blocks(extent.rows(), feed_forward_.block_rows(), [&](const RowBlock& block) {
      const Matrix<T> middle = block.of(rows(extent, middle_));
      const Matrix<T> middle_normal = block.of(rows(extent, middle_normal_));
      add_to_dropped(block, skip, after_cell_, middle_);
      feed_forward_norm_.forward_block(block, middle, middle_normal);
      feed_forward_.forward_block(block, middle_normal, middle, block.of(rows(extent, y.data())));
    });
  }

  void backward(Extent extent, const Tensor<T, 3>& x, const Tensor<T, 3>& dy,
                Tensor<T, 3>& dx) override {
    feed_forward_.begin_backward();
    for_row_blocks(extent.rows(), feed_forward_.block_rows(), [&](const RowBlock& block) {
      const Matrix<const T> dabove = block.of(rows(extent, dy.data()));
      const Matrix<T> dmiddle = block.of(rows(extent, dmiddle_));
      feed_forward_.backward_block(block, block.of(rows(extent, middle_normal_)), dabove, dmiddle);
      feed_forward_norm_.backward_block(block, block.of(rows(extent, middle_)), dmiddle,
                                        dabove.data, dmiddle);
      copy_dropped(block, dmiddle_, after_cell_, dmixed_);
    });
    feed_forward_.end_backward(extent.rows());
    feed_forward_norm_.end_backward(extent.rows());
    const T* const dmixed = after_cell_.active() ? dmixed_ : dmiddle_;
    if (norm_on_skip_) {
      cell_->backward(extent, x, sequence(extent, dmixed), dx);
      norm_.backward(rows(extent, x.data()), rows(extent, dmiddle_), dx.data(),
                     rows(extent, dx.data()));
    } else {
      Tensor<T, 3> dnormal = sequence(extent, dnormal_);
      cell_->backward(extent, sequence(extent, normal_), sequence(extent, dmixed), dnormal);
      norm_.backward(rows(extent, x.data()), rows(extent, dnormal_), dmiddle_,
                     rows(extent, dx.data()));
    }
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
  bool norm_on_skip_;
  LayerNorm<T> norm_;
  LayerNorm<T> feed_forward_norm_;
  FeedForward<T> feed_forward_;
  Dropout after_cell_;
  T* normal_ = nullptr;         // LN(x)
  T* middle_ = nullptr;         // m
  T* middle_normal_ = nullptr;  // LN(m)
  T* dmiddle_ = nullptr;        // scratch of backward
  T* dmixed_ = nullptr;
  T* dnormal_ = nullptr;
};

}  // namespace

template <std::floating_point T>
std::unique_ptr<Cell<T>> make_prenorm(std::unique_ptr<Cell<T>> cell, Index width, Index inner) {
  return std::make_unique<Prenorm<T>>(std::move(cell), width, inner, false);
}

template <std::floating_point T>
std::unique_ptr<Cell<T>> make_skipnorm(std::unique_ptr<Cell<T>> cell, Index width, Index inner) {
  return std::make_unique<Prenorm<T>>(std::move(cell), width, inner, true);
}

#define RLT_INSTANTIATE(T)                                                                   \
  template std::unique_ptr<Cell<T>> make_prenorm<T>(std::unique_ptr<Cell<T>>, Index, Index); \
  template std::unique_ptr<Cell<T>> make_skipnorm<T>(std::unique_ptr<Cell<T>>, Index, Index);
RLT_INSTANTIATE(float)
RLT_INSTANTIATE(double)
#undef RLT_INSTANTIATE

}  // namespace rlt
