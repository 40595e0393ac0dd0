// prenorm:  m = x + drop(cell(norm(x)));  y = m + drop(FF(norm(m)))
//   Official form of arXiv 2106.06295 and 2310.16076 (ids 2, 3, 7, 8, 9): no norm after the last block.
// prenorm_bare: the same, FF without biases and with LeCun normal matrices, and one more norm at the top
//   The layer of the Block-Recurrent Transformer (arXiv 2203.07852) and its baselines.
// skipnorm: m = norm(x) + drop(cell(x));  y = m + drop(FF(norm(m)))
//   The SRWM layer of arXiv 2310.16076: the cell sees the raw stream, the norm sits on the skip path.
#include <string>

#include "blocks/block.hpp"
#include "blocks/wrapper.hpp"
#include "nn/feed_forward.hpp"
#include "nn/norm.hpp"

namespace rlt {
namespace {

enum class Form { prenorm, bare, skipnorm };

template <std::floating_point T>
class Prenorm : public Wrapper<T> {
 public:
  Prenorm(std::unique_ptr<Cell<T>> cell, Index width, Index inner, NormForm norm, Form form)
      : Wrapper<T>(std::move(cell), width), inner_(inner), norm_form_(norm), form_(form) {}

  void declare(ParameterSet<T>& parameters, std::string_view prefix) override {
    norm_.declare(parameters, std::string(prefix) + ".norm", width_, norm_form_);
    cell_->declare(parameters, std::string(prefix) + ".cell");
    feed_forward_norm_.declare(parameters, std::string(prefix) + ".ff.norm", width_, norm_form_);
    const std::string name = std::string(prefix) + ".ff";
    if (form_ == Form::bare) {
      feed_forward_.declare(parameters, name, width_, inner_, init::lecun_normal(), Bias::none);
    } else {
      feed_forward_.declare(parameters, name, width_, inner_);
    }
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

  void forward(Sequence<const T> x, const Pass<T>& pass, Sequence<T> y) override {
    const Extent extent = x.extent;
    norm_.forward(x.rows, rows(extent, normal_));
    const Sequence<const T> normal = sequence(extent, normal_);
    const T* const skip = norm_on_skip() ? normal_ : x.rows.data;
    cell_->forward(norm_on_skip() ? x : normal, this->cell_pass(pass), sequence(extent, middle_));
    after_cell_ = pass.dropout.stream(Site::after_cell);
    feed_forward_.begin_forward(pass.dropout.stream(Site::in_feed_forward),
                                pass.dropout.stream(Site::after_feed_forward));
    for_row_blocks(extent.rows(), [&](const RowBlock& block) {
      const Matrix<T> middle = block.of(rows(extent, middle_));
      const Matrix<T> middle_normal = block.of(rows(extent, middle_normal_));
      add_to_dropped(block, skip, after_cell_, middle_);
      feed_forward_norm_.forward_block(block, middle, middle_normal);
      feed_forward_.forward_block(block, middle_normal, middle, block.of(y.rows));
    });
  }

  void backward(Sequence<const T> x, Sequence<const T> dy, Sequence<T> dx) override {
    const Extent extent = x.extent;
    feed_forward_.begin_backward();
    for_row_blocks(extent.rows(), [&](const RowBlock& block) {
      const Matrix<const T> dabove = block.of(dy.rows);
      const Matrix<T> dmiddle = block.of(rows(extent, dmiddle_));
      // y = m + drop(FF(norm(m)))
      feed_forward_.backward_block(block, block.of(rows(extent, middle_normal_)), dabove, dmiddle);
      feed_forward_norm_.backward_block(block, block.of(rows(extent, middle_)), dmiddle,
                                        dabove.data, dmiddle);
      // m = x + drop(cell(norm(x))), or norm(x) + drop(cell(x))
      copy_dropped(block, dmiddle_, after_cell_, dmixed_);
    });
    feed_forward_.end_backward(extent.rows());
    feed_forward_norm_.end_backward(extent.rows());
    const Sequence<const T> dmixed = sequence(extent, after_cell_.active() ? dmixed_ : dmiddle_);
    if (norm_on_skip()) {
      // cell(x), then norm(x)
      cell_->backward(x, dmixed, dx);
      norm_.backward(x.rows, rows(extent, dmiddle_), dx.rows.data, dx.rows);
    } else {
      // cell(norm(x))
      cell_->backward(sequence(extent, normal_), dmixed, sequence(extent, dnormal_));
      norm_.backward(x.rows, rows(extent, dnormal_), dmiddle_, dx.rows);
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

  bool norm_on_skip() const { return form_ == Form::skipnorm; }

  Index inner_;
  NormForm norm_form_;
  Form form_;
  Norm<T> norm_;
  Norm<T> feed_forward_norm_;
  FeedForward<T> feed_forward_;
  Dropout after_cell_;
  T* normal_ = nullptr;         // norm(x)
  T* middle_ = nullptr;         // m
  T* middle_normal_ = nullptr;  // norm(m)
  T* dmiddle_ = nullptr;        // scratch of backward
  T* dmixed_ = nullptr;
  T* dnormal_ = nullptr;
};

template <std::floating_point T, Form form>
std::unique_ptr<Cell<T>> make_prenorm(std::unique_ptr<Cell<T>> cell, Index width, Index inner,
                                      NormForm norm) {
  return std::make_unique<Prenorm<T>>(std::move(cell), width, inner, norm, form);
}

}  // namespace

BlockEntry blocks::prenorm() {
  return {{.name = "prenorm", .equation = "m = x + cell(norm(x)); y = m + FF(norm(m))"},
          make_prenorm<float, Form::prenorm>,
          make_prenorm<double, Form::prenorm>};
}

BlockEntry blocks::prenorm_bare() {
  return {{.name = "prenorm_bare",
           .equation =
               "m = x + cell(norm(x)); y = m + FF(norm(m)), no biases; one more norm at the top",
           .top = Top::norm},
          make_prenorm<float, Form::bare>,
          make_prenorm<double, Form::bare>};
}

BlockEntry blocks::skipnorm() {
  return {{.name = "skipnorm", .equation = "m = norm(x) + cell(x); y = m + FF(norm(m))"},
          make_prenorm<float, Form::skipnorm>,
          make_prenorm<double, Form::skipnorm>};
}

}  // namespace rlt
