// What a cell is built from.
#pragma once

#include <string>
#include <string_view>

#include "base/index.hpp"
#include "base/option.hpp"

namespace rlt {

/// Where positions enter: nowhere, added to the embeddings as fixed or learned waves, as a bias on attention scores, or
/// as a rotation of queries and keys.
enum class Positions { none, sinusoidal, learned, alibi, rotary };
std::string_view to_string(Positions positions);
/// Whether the model's input adds them, whatever the cells are.
constexpr bool is_added(Positions positions) {
  return positions == Positions::sinusoidal || positions == Positions::learned;
}
/// Error(usage) with the nearest name when unknown.
Positions parse_positions(std::string_view name);

/// How vectors r of real numbers become the input of the first layer: W r + b, relu(W r + b), or r itself.
enum class RealInput { linear, relu, direct };
std::string_view to_string(RealInput input);

/// Largest d_model / heads: kernels keep a few vectors of this length on the stack.
inline constexpr Index max_head_size = 256;

struct CellConfig {
  Index d_model = 64;
  Index heads = 4;
  Index inputs = 0;  // features of x, for cells that read any width; 0: d_model
  Positions positions = Positions::none;
  OptionValues options;  // complete: every option that the cell knows has a value

  Index head_size() const { return d_model / heads; }
  Index input_width() const { return inputs > 0 ? inputs : d_model; }
  const std::string& text(const std::string& option) const { return options.at(option); }
  double number(const std::string& option) const { return std::stod(options.at(option)); }
  /// Of an option whose numbers are whole.
  Index count(const std::string& option) const { return static_cast<Index>(number(option)); }
};

}  // namespace rlt
