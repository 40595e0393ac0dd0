// What a model is built from: an input, a list of layers, heads.
#pragma once

#include <string>
#include <vector>

#include "cells/registry.hpp"
#include "model/head.hpp"
#include "model/input.hpp"

namespace rlt {

struct ModelConfig {
  InputConfig input;
  std::vector<LayerConfig> layers;  // all of the same width d_model
  std::vector<HeadConfig> heads;
  double dropout = 0;
  bool asks_last = false;  // the heads read the last position of each sequence alone

  Index width() const { return layers.front().config.d_model; }
};

/// `layers` layers of one cell (or what its name stands for), the head "head" for classes. Error(usage)
/// with one clear line when a size does not fit.
ModelConfig classifier(const LayerConfig& layer, Index layers, Index vocabulary, Index classes,
                       double dropout = 0);

/// Error(usage) when something does not fit; fills in the defaults of the cells' options.
ModelConfig complete(ModelConfig config);

}  // namespace rlt
