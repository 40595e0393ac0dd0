// transformer_preln: causal softmax attention in the frame of the linear cells (id 9).
// Vaswani et al. 2017 (arXiv 1706.03762); the pre-LN form of arXiv 2106.06295 and 2310.16076.
//
// x (B,T,D) -> y (B,T,D), per head of size d = D / H:
//   q | k | v = x W_slow
//   o_t = sum_{j <= t} softmax_j(q_t . k_j / sqrt(d)) v_j
//   y   = o W_out
// Backward: softmax_attention.hpp.
// Both weights U(+-1/sqrt(D)), no biases: the parameters of `linear`, so that the two compare directly.
// The attention weights are not dropped; the block drops behind the cell, as for `linear`.
// departs: columns of W_slow are q | k | v with the heads inside each; the official order is heads first,
//   then q | k | v inside each head. alibi with a head count that is no power of two: attention.hpp.
// Memory: the state grows by 2 D per step; tape 6 D + 2 H + 1 per step, 2 D of it for starts inside a segment.
#include "cells/registry.hpp"
#include "mixing/attention_cell.hpp"

namespace rlt {
namespace {

template <typename T>
struct PrenormForm {
  static constexpr bool drops_weights = false;
  static void declare(ParameterSet<T>& parameters, const std::string& name, Index width,
                      Linear<T>& slow, Linear<T>& out) {
    slow.declare(parameters, name + ".slow", width, 3 * width, Bias::none);
    out.declare(parameters, name + ".out", width, width, Bias::none);
  }
};

template <typename T>
using PrenormTransformer = AttentionCell<T, PrenormForm<T>>;

}  // namespace

CellEntry cells::transformer_preln() {
  return cell_entry<PrenormTransformer>({
      .name = "transformer_preln",
      .summary = "softmax attention over all past steps, norm before each sub-layer, no biases",
      .source = "Vaswani et al. 2017, arXiv 1706.03762; Irie et al. 2021, arXiv 2106.06295",
      .equation = "y_t = W_o sum_{j <= t} softmax_j(q_t . k_j / sqrt(d)) v_j",
      .block = "prenorm",
      .constant_memory = false,
      .positions = {Positions::none, Positions::sinusoidal, Positions::learned, Positions::alibi,
                    Positions::rotary},
      .options = {},
  });
}

}  // namespace rlt
