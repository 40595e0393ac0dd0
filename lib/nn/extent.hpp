// Size of a batch of sequences.
#pragma once

#include "base/size.hpp"

namespace rlt {

struct Extent {
  Index batch = 0;
  Index steps = 0;
  Index rows() const { return product(batch, steps); }  // row of (b, t) is b steps + t
};

}  // namespace rlt
