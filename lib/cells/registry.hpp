// The table of cells. A new cell is one file and one line in cells.def.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mixing/cell.hpp"
#include "mixing/cell_config.hpp"
#include "nn/norm.hpp"

namespace rlt {

struct LayerConfig;

/// The facts that `rlt cells NAME` prints and that the model needs.
struct CellInfo {
  std::string name;
  std::string summary;              // one line
  std::string source;               // paper and arXiv number
  std::string equation;             // the recurrence in one or two lines of plain text
  std::string block = "prenorm";    // how a layer wraps it: an entry of blocks.def
  NormForm norm = NormForm::layer;  // of the block around it
  bool uses_heads = true;
  bool constant_memory = true;   // state does not grow with the sequence
  bool any_input_width = false;  // x may have other features than y: CellConfig::inputs
  RealInput real_input = RealInput::linear;
  Init input_matrix = nullptr;   // of the layer that reads real numbers, biases 0; null: torch's
  std::string segment_option{};  // the option that is also the length of a document's segments
  Index default_layers = 2;
  std::vector<Positions> positions = {Positions::none, Positions::sinusoidal, Positions::learned};
  std::vector<Option> options;
  /// Error(usage) for options or sizes that do not fit together; may be null.
  void (*check)(const CellConfig&) = nullptr;
  /// The layers that the name stands for, where these are other than `count` equal ones; may be null.
  std::vector<LayerConfig> (*expand)(const LayerConfig&, Index count) = nullptr;
};

/// One layer of a model.
struct LayerConfig {
  std::string cell;
  CellConfig config;
  std::string block{};             // an entry of blocks.def; empty: the cell's own
  Index ff = 4;                    // feed-forward width F = ff d_model
  std::optional<NormForm> norm{};  // none: the cell's own
};

template <typename T>
using MakeCell = std::unique_ptr<Cell<T>> (*)(const CellConfig&);

struct CellEntry {
  CellInfo info;
  MakeCell<float> make_float;
  MakeCell<double> make_double;
};

/// An entry whose cell is the class template `Made`, constructible from a CellConfig.
template <template <typename> class Made>
CellEntry cell_entry(CellInfo info) {
  return {std::move(info),
          [](const CellConfig& config) -> std::unique_ptr<Cell<float>> {
            return std::make_unique<Made<float>>(config);
          },
          [](const CellConfig& config) -> std::unique_ptr<Cell<double>> {
            return std::make_unique<Made<double>>(config);
          }};
}

/// All cells in the order of cells.def.
const std::vector<CellEntry>& all_cells();
/// The facts of one cell; Error(usage) with the nearest name when unknown.
const CellInfo& cell_info(std::string_view name);

/// Fills in defaults and checks the options, the head count and the positions: Error(usage) with one
/// clear line when something does not fit.
CellConfig complete(std::string_view cell, CellConfig config);

/// The `count` layers that `layer.cell` stands for.
std::vector<LayerConfig> expand(const LayerConfig& layer, Index count);

/// A new cell; `config` as `complete` returned it.
template <std::floating_point T>
std::unique_ptr<Cell<T>> make_cell(std::string_view name, const CellConfig& config);

namespace cells {
#define RLT_CELL(name) CellEntry name();
#include "cells/cells.def"
#undef RLT_CELL
}  // namespace cells

}  // namespace rlt
