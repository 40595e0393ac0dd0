// Reference of transformer_preln: the attention of arXiv 1706.03762 between two projections without bias.
#pragma once

#include "reference/transformer.hpp"

namespace reference {

inline Array2 transformer_preln(const rlt::CellConfig& config, const Parameters& parameters,
                                const Array2& x) {
  const Array2 projected = xt::linalg::dot(x, parameters.matrix("slow.weight"));
  const Array2 mixed = causal_attention(config, projected);
  return xt::linalg::dot(mixed, parameters.matrix("out.weight"));
}

}  // namespace reference
