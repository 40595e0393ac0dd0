// Heads of a size of their own: those of the papers' gated cells do not share d_model among them.
#pragma once

#include "base/option.hpp"
#include "mixing/cell_config.hpp"

namespace rlt {

inline Option head_size_option() {
  return {.name = "head_size",
          .value = "64",
          .help = "numbers of a head, whatever --d-model is; 0: d_model / heads",
          .choices = {},
          .low = 0,
          .high = max_head_size,
          .whole = true};
}

inline Index head_size_of(const CellConfig& config) {
  const Index chosen = config.count("head_size");
  return chosen == 0 ? config.head_size() : chosen;
}

}  // namespace rlt
