// transformer: causal softmax attention with several heads, the encoder layer of torch (id 1).
// Vaswani et al. 2017 (arXiv 1706.03762); as used in arXiv 2310.16076 and 2106.06295.
//
// x (B,T,D) -> y (B,T,D), per head of size d = D / H:
//   q | k | v = x W_slow + b_slow
//   o_t = sum_{j <= t} softmax_j(q_t . k_j / sqrt(d)) v_j
//   y   = o W_out + b_out
// Backward: softmax_attention.hpp.
// W_slow is Xavier-uniform over (D, 3 D), W_out U(+-1/sqrt(D)), the biases start at 0.
// departs: torch makes its layers by copying one, so that all layers of the official model start with the same
//   numbers; ours are drawn one by one. W_slow is the transpose of the official (3 D, D); both have q | k | v
//   with the heads inside each. Positions are the user's choice; arXiv 2310.16076 has none, 2106.06295
//   sinusoidal ones. alibi with a head count that is no power of two: attention.hpp.
// Memory: the state grows by 2 D per step; tape 6 D + 2 H + 1 per step, 2 D of it for starts inside a segment.
#include <cmath>

#include "cells/registry.hpp"
#include "mixing/attention_cell.hpp"

namespace rlt {
namespace {

template <typename T>
struct PostnormForm {
  static constexpr bool drops_weights = true;
  static void declare(ParameterSet<T>& parameters, const std::string& name, Index width,
                      Linear<T>& slow, Linear<T>& out) {
    const double xavier = std::sqrt(6 / static_cast<double>(width + 3 * width));
    slow.declare(parameters, name + ".slow", width, 3 * width, Bias::zero, init::uniform(xavier));
    out.declare(parameters, name + ".out", width, width, Bias::zero);
  }
};

template <typename T>
using Transformer = AttentionCell<T, PostnormForm<T>>;

}  // namespace

CellEntry cells::transformer() {
  return cell_entry<Transformer>({
      .name = "transformer",
      .summary = "softmax attention over all past steps, norm after each sub-layer",
      .source = "Vaswani et al. 2017, arXiv 1706.03762",
      .equation = "y_t = W_o sum_{j <= t} softmax_j(q_t . k_j / sqrt(d)) v_j + b_o",
      .block = "postnorm",
      .constant_memory = false,
      .positions = {Positions::none, Positions::sinusoidal, Positions::learned, Positions::alibi,
                    Positions::rotary},
      .options = {},
  });
}

}  // namespace rlt
