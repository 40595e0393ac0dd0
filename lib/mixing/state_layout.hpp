// What a sequence carries from one segment to the next, as named pieces.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/size.hpp"

namespace rlt {

struct StatePiece {
  std::string name;
  std::vector<Index> shape;  // empty: one number

  Index size() const {
    Index numbers = 1;
    for (const Index side : shape) numbers = product(numbers, side);
    return numbers;
  }
};

/// The numbers of one sequence: `copies` times (one for each head) all pieces in order.
struct StateLayout {
  std::vector<StatePiece> pieces;
  Index copies = 1;
  bool in_lanes = false;  // the cell takes it as Pass::lanes too

  Index size() const {
    Index sum = 0;
    for (const StatePiece& piece : pieces) sum += piece.size();
    return product(copies, sum);
  }
};

}  // namespace rlt
