#include <fmt/format.h>
#include <fmt/ranges.h>

#include "commands.hpp"

namespace rlt {

std::string layout_text(const StateLayout& layout) {
  std::vector<std::string> pieces;
  for (const StatePiece& piece : layout.pieces) {
    pieces.push_back(piece.shape.empty()
                         ? piece.name
                         : fmt::format("{} ({})", piece.name, fmt::join(piece.shape, ", ")));
  }
  if (pieces.empty()) return "none";
  const std::string all = fmt::format("{}", fmt::join(pieces, ", "));
  return layout.copies == 1 ? all : fmt::format("{} heads x ({})", layout.copies, all);
}

}  // namespace rlt
