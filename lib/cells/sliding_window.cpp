// sliding_window: softmax attention to exactly the W steps before each step, never to the step itself.
// Hutchins et al. 2022 (arXiv 2203.07852): the layers around the recurrent one, and alone the baseline "Slide".
//
// x (B,T,D) -> y (B,T,D), per head of size d = D / H:
//   q | k | v = x W_slow                  q, k <- unit(q), unit(k)            unit(u) = u / sqrt(sum u^2 + 1e-6)
//   s_tj = |alpha| (q_t . k_j + bias_{t-j})                t - W <= j < t
//   o_t  = sum_j softmax_j(s_tj) v_j                       beside a score of -1000 with value 0
//   y    = o W_out
// bias: one of 32 numbers by the distance t - j, a table for each layer. Where fewer than W steps lie behind, the
// rest are null keys: key and value 0, not hidden, so that they take weight.
// Backward: scaled_attention.hpp, unit_rows.hpp, distance_bias.hpp.
// Matrices LeCun normal, alpha 1, the table normal with variance 1 / 32; no biases elsewhere.
//
// Between segments the last W keys and values are carried, as constants: gradients flow from window to window inside a
// segment and stop at its border.
//
// departs: the official code knows a start of a document only where a segment begins. Ours may stand anywhere; it puts
//   null keys in the place of all steps before it, as that code does. H d = D here, free there. No dropout on the
//   attention weights. The official tiles are W queries by 2 W keys; ours are 32 by W + 31.
// Memory: state 2 W D; tape per step 6 D + 2 H + 2, per sequence 2 W D.
#include "cells/registry.hpp"
#include "mixing/window_cell.hpp"

namespace rlt {

CellEntry cells::sliding_window() {
  return cell_entry<WindowCell>({
      .name = "sliding_window",
      .summary = "attention to the W steps before each step, gradients through whole segments",
      .source = "Hutchins et al. 2022, arXiv 2203.07852 (baseline)",
      .equation = "y_t = W_o sum_{t-W <= j < t} softmax_j(|a| (q_t . k_j + bias_{t-j})) v_j",
      .block = "prenorm_bare",
      .norm = NormForm::rms,
      .default_layers = 4,
      .positions = {Positions::none},
      .options = {window_option()},
  });
}

}  // namespace rlt
