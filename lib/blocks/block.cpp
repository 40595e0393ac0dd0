#include "blocks/block.hpp"

#include <utility>

namespace rlt {

template <std::floating_point T>
std::unique_ptr<Cell<T>> make_block(Wrapping wrapping, std::unique_ptr<Cell<T>> cell, Index width,
                                    Index inner) {
  switch (wrapping) {
    case Wrapping::prenorm:
      return make_prenorm(std::move(cell), width, inner);
    case Wrapping::skipnorm:
      return make_skipnorm(std::move(cell), width, inner);
    case Wrapping::postnorm:
      return make_postnorm(std::move(cell), width, inner);
    case Wrapping::plain:
      break;
  }
  return cell;
}

template std::unique_ptr<Cell<float>> make_block<float>(Wrapping, std::unique_ptr<Cell<float>>,
                                                        Index, Index);
template std::unique_ptr<Cell<double>> make_block<double>(Wrapping, std::unique_ptr<Cell<double>>,
                                                          Index, Index);

}  // namespace rlt
