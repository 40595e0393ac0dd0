// How a cell is wrapped into one layer of the model. A block is itself a Cell: sequence in, sequence out,
// with the state of the cell inside. A new block is one entry of blocks.def and the function it names.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cells/registry.hpp"

namespace rlt {

/// What follows the last layer of a stack of such blocks.
enum class Top { nothing, norm, dropout };

struct BlockInfo {
  std::string name;
  std::string equation;  // x, the layer's input, to y
  bool has_norms = true;
  Top top = Top::nothing;
};

/// `cell` wrapped; `inner` is the feed-forward width F, `norm` the form of the norms.
template <typename T>
using MakeBlock = std::unique_ptr<Cell<T>> (*)(std::unique_ptr<Cell<T>> cell, Index width,
                                               Index inner, NormForm norm);

struct BlockEntry {
  BlockInfo info;
  MakeBlock<float> make_float;
  MakeBlock<double> make_double;
};

/// All blocks in the order of blocks.def.
const std::vector<BlockEntry>& all_blocks();
/// Error(usage) with the nearest name when unknown.
const BlockInfo& block_info(std::string_view name);

/// `cell` wrapped in the block of that name, as MakeBlock does it.
template <std::floating_point T>
std::unique_ptr<Cell<T>> wrap(std::string_view block, std::unique_ptr<Cell<T>> cell, Index width,
                              Index inner, NormForm norm = NormForm::layer);
/// The layer that `config`, as `complete` returned it, describes.
template <std::floating_point T>
std::unique_ptr<Cell<T>> make_block(const LayerConfig& config);

namespace blocks {
#define RLT_BLOCK(name) BlockEntry name();
#include "blocks/blocks.def"
#undef RLT_BLOCK
}  // namespace blocks

}  // namespace rlt
