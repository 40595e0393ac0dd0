// plain: y = cell(x), with one dropout behind the last layer: the LSTM and e-LSTM models of arXiv 2310.16076.
#include <utility>

#include "blocks/block.hpp"

namespace rlt {
namespace {

template <std::floating_point T>
std::unique_ptr<Cell<T>> make_plain(std::unique_ptr<Cell<T>> cell, Index, Index, NormForm) {
  return cell;
}

}  // namespace

BlockEntry blocks::plain() {
  return {{.name = "plain", .equation = "y = cell(x)", .has_norms = false, .top = Top::dropout},
          make_plain<float>,
          make_plain<double>};
}

}  // namespace rlt
