#include "cells/registry.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.hpp"
#include "base/nearest.hpp"

namespace rlt {
namespace {

constexpr std::array<std::pair<Positions, std::string_view>, 4> position_names{{
    {Positions::none, "none"},
    {Positions::sinusoidal, "sinusoidal"},
    {Positions::alibi, "alibi"},
    {Positions::rotary, "rotary"},
}};

const CellEntry& find(std::string_view name) {
  for (const CellEntry& entry : all_cells()) {
    if (entry.info.name == name) return entry;
  }
  std::vector<std::string> known;
  for (const CellEntry& entry : all_cells()) known.push_back(entry.info.name);
  fail(Exit::usage, "--cell {}: no such cell{}", name, suggestion(name, known));
}

}  // namespace

std::string_view to_string(Positions positions) {
  for (const auto& [value, name] : position_names) {
    if (value == positions) return name;
  }
  return "";
}

Positions parse_positions(std::string_view name) {
  std::vector<std::string> known;
  for (const auto& [value, known_name] : position_names) {
    if (known_name == name) return value;
    known.emplace_back(known_name);
  }
  fail(Exit::usage, "--positions {}: unknown{}", name, suggestion(name, known));
}

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

template <std::floating_point T>
std::unique_ptr<Cell<T>> make_cell(std::string_view name, const CellConfig& config) {
  if constexpr (std::same_as<T, float>) return find(name).make_float(config);
  if constexpr (std::same_as<T, double>) return find(name).make_double(config);
}

template std::unique_ptr<Cell<float>> make_cell<float>(std::string_view, const CellConfig&);
template std::unique_ptr<Cell<double>> make_cell<double>(std::string_view, const CellConfig&);

}  // namespace rlt
