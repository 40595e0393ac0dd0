// The table of cells. A new cell is one file and one line in cells.def.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/option.hpp"
#include "cells/cell.hpp"

namespace rlt {

/// Where positions enter: nowhere, added to the embeddings, as a bias on attention scores, or as a
/// rotation of queries and keys.
enum class Positions { none, sinusoidal, alibi, rotary };
std::string_view to_string(Positions positions);
/// Error(usage) with the nearest name when unknown.
Positions parse_positions(std::string_view name);

/// Largest d_model / heads: kernels keep a few rows of a head on the stack.
inline constexpr Index max_head_size = 256;

/// What a cell is built from.
struct CellConfig {
  Index d_model = 64;
  Index heads = 4;
  Positions positions = Positions::none;
  OptionValues options;  // complete: every option that the cell knows has a value

  Index head_size() const { return d_model / heads; }
  const std::string& text(const std::string& option) const { return options.at(option); }
  double number(const std::string& option) const { return std::stod(options.at(option)); }
  /// Of an option whose numbers are whole.
  Index count(const std::string& option) const { return static_cast<Index>(number(option)); }
};

/// How the model wraps the cell; see blocks/.
enum class Wrapping { plain, prenorm, postnorm, skipnorm };

/// The facts that `rlt cells NAME` prints and that the model needs.
struct CellInfo {
  std::string name;
  std::string summary;   // one line
  std::string source;    // paper and arXiv number
  std::string equation;  // the recurrence in one or two lines of plain text
  Wrapping wrapping = Wrapping::prenorm;
  bool uses_heads = true;
  bool constant_memory = true;  // state does not grow with the sequence
  Index default_layers = 2;
  std::vector<Positions> positions = {Positions::none, Positions::sinusoidal};
  std::vector<Option> options;
  /// Error(usage) for options or sizes that do not fit together; may be null.
  void (*check)(const CellConfig&) = nullptr;
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

/// A new cell; `config` as `complete` returned it.
template <std::floating_point T>
std::unique_ptr<Cell<T>> make_cell(std::string_view name, const CellConfig& config);

namespace cells {
#define RLT_CELL(name) CellEntry name();
#include "cells/cells.def"
#undef RLT_CELL
}  // namespace cells

}  // namespace rlt
