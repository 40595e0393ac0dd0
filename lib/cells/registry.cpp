#include "cells/registry.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "base/nearest.hpp"

namespace rlt {
namespace {

const CellEntry& find(std::string_view name) {
  for (const CellEntry& entry : all_cells()) {
    if (entry.info.name == name) return entry;
  }
  std::vector<std::string> known;
  for (const CellEntry& entry : all_cells()) known.push_back(entry.info.name);
  fail(Exit::usage, "--cell {}: no such cell{}", name, suggestion(name, known));
}

}  // namespace

const std::vector<CellEntry>& all_cells() {
  static const std::vector<CellEntry> entries = {
#define RLT_CELL(name) cells::name(),
#include "cells/cells.def"
#undef RLT_CELL
  };
  return entries;
}

const CellInfo& cell_info(std::string_view name) { return find(name).info; }

CellConfig complete(std::string_view cell, CellConfig config) {
  const CellInfo& info = cell_info(cell);
  if (info.uses_heads && config.d_model % config.heads != 0) {
    fail(Exit::usage, "--heads {}: must divide --d-model {}", config.heads, config.d_model);
  }
  if (info.uses_heads && config.head_size() > max_head_size) {
    fail(Exit::usage, "--d-model {} --heads {}: heads of {} numbers; at most {}", config.d_model,
         config.heads, config.head_size(), max_head_size);
  }
  if (std::ranges::find(info.positions, config.positions) == info.positions.end()) {
    std::vector<std::string_view> allowed;
    for (const Positions value : info.positions) allowed.push_back(to_string(value));
    fail(Exit::usage, "--positions {}: {} takes {}", to_string(config.positions), cell,
         fmt::join(allowed, " or "));
  }
  config.options = complete_options("cell-option", cell, info.options, std::move(config.options));
  if (info.check != nullptr) info.check(config);
  return config;
}

std::vector<LayerConfig> expand(const LayerConfig& layer, Index count) {
  const CellInfo& info = cell_info(layer.cell);
  if (info.expand != nullptr) return info.expand(layer, count);
  return std::vector<LayerConfig>(static_cast<std::size_t>(count), layer);
}

template <std::floating_point T>
std::unique_ptr<Cell<T>> make_cell(std::string_view name, const CellConfig& config) {
  if constexpr (std::same_as<T, float>) return find(name).make_float(config);
  if constexpr (std::same_as<T, double>) return find(name).make_double(config);
}

template std::unique_ptr<Cell<float>> make_cell<float>(std::string_view, const CellConfig&);
template std::unique_ptr<Cell<double>> make_cell<double>(std::string_view, const CellConfig&);

}  // namespace rlt
