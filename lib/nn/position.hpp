// Position encodings that are added to embeddings.
#pragma once

#include "base/index.hpp"

namespace rlt {

/// wave_c = sin(position / 10000^(c / width)) for even c, cos(position / 10000^((c - 1) / width)) for odd c
/// (Vaswani et al. 2017, arXiv 1706.03762, section 3.5).
template <typename T>
void sinusoidal(Index position, Index width, T* wave);

}  // namespace rlt
