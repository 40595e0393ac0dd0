#include "model/model_config.hpp"

#include "base/error.hpp"
#include "blocks/block.hpp"

namespace rlt {
namespace {

void complete_real_input(ModelConfig& config) {
  LayerConfig& first = config.layers.front();
  const CellInfo& cell = cell_info(first.cell);
  const bool adds_to_reals = config.input.vocabulary > 0 || is_added(config.input.positions);
  if (!config.input.real_input) {
    const bool own_way = cell.real_input != RealInput::direct || !adds_to_reals;
    config.input.real_input = own_way ? cell.real_input : RealInput::linear;
  }
  if (!config.input.matrix) config.input.matrix = cell.input_matrix;
  if (config.input.real_input != RealInput::direct) return;
  if (!cell.any_input_width || first.block != "plain") {
    fail(Exit::usage, "--real-input direct: {} reads vectors of --d-model numbers: linear or relu",
         first.cell);
  }
  if (adds_to_reals) {
    fail(Exit::usage, "--real-input direct: there is no layer to add tokens or positions to");
  }
  first.config.inputs = config.input.features;
}

void check_tied(const ModelConfig& config, const HeadConfig& head) {
  if (!head.tied) return;
  if (head.hidden > 0) {
    fail(Exit::usage, "--tied-embeddings on: the head {} has a layer of its own", head.name);
  }
  if (head.outputs != config.input.vocabulary) {
    fail(Exit::usage, "--tied-embeddings on: {} input tokens and {} outputs: must be the same",
         config.input.vocabulary, head.outputs);
  }
}

}  // namespace

ModelConfig classifier(const LayerConfig& layer, Index layers, Index vocabulary, Index classes,
                       double dropout) {
  if (layers < 1) fail(Exit::usage, "--layers {}: must be at least 1", layers);
  return complete({.input = {.vocabulary = vocabulary, .positions = layer.config.positions},
                   .layers = expand(layer, layers),
                   .heads = {{"head", classes}},
                   .dropout = dropout});
}

ModelConfig complete(ModelConfig config) {
  if (config.layers.empty()) fail(Exit::usage, "--layers 0: a model has at least one layer");
  for (LayerConfig& layer : config.layers) {
    layer.config = complete(layer.cell, std::move(layer.config));
    if (layer.block.empty()) layer.block = cell_info(layer.cell).block;
    block_info(layer.block);
    if (!layer.norm) layer.norm = cell_info(layer.cell).norm;
    if (layer.ff < 1) fail(Exit::usage, "--ff {}: must be at least 1", layer.ff);
    if (layer.config.d_model != config.width()) {
      fail(Exit::usage, "layers of widths {} and {}: all must have the same --d-model",
           config.width(), layer.config.d_model);
    }
  }
  if (config.input.features > 0) complete_real_input(config);
  for (const HeadConfig& head : config.heads) check_tied(config, head);
  if (!(config.dropout >= 0 && config.dropout < 1)) {
    fail(Exit::usage, "--dropout {}: must be in [0, 1)", config.dropout);
  }
  return config;
}

}  // namespace rlt
