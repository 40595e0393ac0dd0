// transformer_xl: attention to the W steps before each step, documents read in segments of W steps.
// Dai et al. 2019 (arXiv 1901.02860), as the baseline "XL" of Hutchins et al. 2022 (arXiv 2203.07852).
//
// The function of its inputs is that of sliding_window (cells/sliding_window.cpp): shapes, equations, starts and state
// are written there. What differs is how far gradients reach: a segment is as long as the window, so that the keys of
// the segment before, which are all that a step sees beyond its own segment, are constants.
//
// departs: from the Transformer-XL of Dai et al. in what Hutchins et al. compare with: queries and keys of unit length
//   with a learned scale, a bias by distance in place of relative positions, and no step sees itself. cells/gtrxl.cpp
//   has those positions. What holds for sliding_window holds here too.
// Memory: state 2 W D; tape per step 6 D + 2 H + 2, per sequence 2 W D.
#include "cells/registry.hpp"
#include "mixing/window_cell.hpp"

namespace rlt {

CellEntry cells::transformer_xl() {
  return cell_entry<WindowCell>({
      .name = "transformer_xl",
      .summary = "attention to the W steps before each step, gradients through segments of W steps",
      .source = "Dai et al. 2019, arXiv 1901.02860; as in Hutchins et al. 2022, arXiv 2203.07852",
      .equation = "y_t = W_o sum_{t-W <= j < t} softmax_j(|a| (q_t . k_j + bias_{t-j})) v_j",
      .block = "prenorm_bare",
      .norm = NormForm::rms,
      .segment_option = "window",
      .default_layers = 4,
      .positions = {Positions::none},
      .options = {window_option()},
  });
}

}  // namespace rlt
