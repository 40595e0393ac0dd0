// postnorm: m = LN(x + drop(cell(x))); y = LN(m + drop(FF(m)))
// The encoder layer of Vaswani et al. 2017 (arXiv 1706.03762), as torch builds it.
#include <string>

#include "blocks/block.hpp"
#include "blocks/wrapper.hpp"
#include "nn/elementwise.hpp"
#include "nn/feed_forward.hpp"
#include "nn/layer_norm.hpp"

namespace rlt {
namespace {

template <std::floating_point T>
class Postnorm : public Wrapper<T> {
 public:
  Postnorm(std::unique_ptr<Cell<T>> cell, Index width, Index inner)
      : Wrapper<T>(std::move(cell), width), inner_(inner) {}

  void declare(ParameterSet<T>& parameters, std::string_view prefix) override {
    cell_->declare(parameters, std::string(prefix) + ".cell");
    norm_.declare(parameters, std::string(prefix) + ".norm", width_);
    feed_forward_.declare(parameters, std::string(prefix) + ".ff", width_, inner_);
    feed_forward_norm_.declare(parameters, std::string(prefix) + ".ff.norm", width_);
  }

  void carve(Workspace& workspace, Extent largest) override {
    const Index tokens = largest.rows();
    mixed_sum_ = workspace.tape.take<T>(tokens * width_);
    middle_ = workspace.tape.take<T>(tokens * width_);
    sum_ = workspace.tape.take<T>(tokens * width_);
    const ScratchScope scope(workspace);
    dsum_ = workspace.scratch.take<T>(tokens * width_);
    dmixed_ = workspace.scratch.take<T>(tokens * width_);
    dmiddle_ = workspace.scratch.take<T>(tokens * width_);
    norm_.carve(workspace, tokens);
    feed_forward_norm_.carve(workspace, tokens);
    cell_->carve(workspace, largest);
    feed_forward_.carve(workspace, tokens);
  }

  void forward(Extent extent, const Tensor<T, 3>& x, const Carry<T>& carry,
               Tensor<T, 3>& y) override {
    dropout_ = carry.dropout;
    const Index count = extent.rows() * width_;
    Tensor<T, 3> mixed = sequence(extent, mixed_sum_);
    cell_->forward(extent, x, this->inner(carry), mixed);
    dropout_.stream(Site::after_cell).apply(mixed_sum_, count);
    add(x.data(), mixed_sum_, mixed_sum_, count);
    norm_.forward(rows(extent, mixed_sum_), rows(extent, middle_));
    feed_forward_.forward(rows(extent, middle_), rows(extent, middle_), rows(extent, sum_),
                          dropout_.stream(Site::in_feed_forward),
                          dropout_.stream(Site::after_feed_forward));
    feed_forward_norm_.forward(rows(extent, sum_), rows(extent, y.data()));
  }

  void backward(Extent extent, const Tensor<T, 3>& x, const Tensor<T, 3>& dy,
                Tensor<T, 3>& dx) override {
    const Index count = extent.rows() * width_;
    feed_forward_norm_.backward(rows(extent, sum_), rows(extent, dy.data()), nullptr,
                                rows(extent, dsum_));
    feed_forward_.backward(rows(extent, middle_), rows(extent, dsum_), rows(extent, dmiddle_));
    add(dmiddle_, dsum_, dmiddle_, count);

    norm_.backward(rows(extent, mixed_sum_), rows(extent, dmiddle_), nullptr, rows(extent, dsum_));
    const T* const dmixed = dropout_.stream(Site::after_cell).applied(dsum_, dmixed_, count);
    cell_->backward(extent, x, sequence(extent, dmixed), dx);
    add(dx.data(), dsum_, dx.data(), count);
  }

 private:
  using typename Wrapper<T>::Site;
  using Wrapper<T>::cell_;
  using Wrapper<T>::width_;
  using Wrapper<T>::rows;
  using Wrapper<T>::sequence;

  Index inner_;
  LayerNorm<T> norm_;
  LayerNorm<T> feed_forward_norm_;
  FeedForward<T> feed_forward_;
  Dropout dropout_;
  T* mixed_sum_ = nullptr;  // x + drop(cell(x))
  T* middle_ = nullptr;     // m
  T* sum_ = nullptr;        // m + drop(FF(m))
  T* dsum_ = nullptr;       // scratch of backward
  T* dmixed_ = nullptr;
  T* dmiddle_ = nullptr;
};

}  // namespace

template <std::floating_point T>
std::unique_ptr<Cell<T>> make_postnorm(std::unique_ptr<Cell<T>> cell, Index width, Index inner) {
  return std::make_unique<Postnorm<T>>(std::move(cell), width, inner);
}

template std::unique_ptr<Cell<float>> make_postnorm<float>(std::unique_ptr<Cell<float>>, Index,
                                                           Index);
template std::unique_ptr<Cell<double>> make_postnorm<double>(std::unique_ptr<Cell<double>>, Index,
                                                             Index);

}  // namespace rlt
