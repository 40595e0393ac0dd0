#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>

#include "blocks/block.hpp"
#include "commands.hpp"

namespace rlt {
namespace {

void print_cell(const CellInfo& info) {
  fmt::print("{}: {}\n", info.name, info.summary);
  fmt::print("  source     {}\n", info.source);
  fmt::print("  equation   {}\n", info.equation);
  const BlockInfo& block = block_info(info.block);
  fmt::print("  layer      {}\n", block.equation);
  if (block.has_norms) fmt::print("  norm       {}\n", to_string(info.norm));
  fmt::print("  layers     {} by default\n", info.default_layers);
  const CellConfig config = complete(info.name, CellConfig());
  const auto cell = make_cell<float>(info.name, config);
  if (info.constant_memory) {
    fmt::print(
        "  state      {} numbers per layer at --d-model {} --heads {}, whatever the length\n",
        cell->state_size(1), config.d_model, config.heads);
  } else {
    fmt::print(
        "  state      grows with the sequence: {} numbers per layer and token at --d-model {}\n",
        cell->state_size(2) - cell->state_size(1), config.d_model);
  }
  fmt::print("  pieces     {}{}\n", layout_text(cell->state_layout(1)),
             info.constant_memory ? "" : ", after one token");
  std::vector<std::string_view> positions;
  for (const Positions value : info.positions) positions.push_back(to_string(value));
  fmt::print("  positions  {}\n", fmt::join(positions, ", "));
  fmt::print("  file       lib/cells/{}.cpp\n", info.name);
  fmt::print("  reference  tests/reference/{}.hpp\n", info.name);
  fmt::print("  results    README.md, table Cells; results/*/\n");
  print_options("cell-option", info.options);
}

Exit run(const std::string& name) {
  if (!name.empty()) {
    print_cell(cell_info(name));
    return Exit::done;
  }
  for (const CellEntry& entry : all_cells()) {
    fmt::print("{:<18} {}\n", entry.info.name, entry.info.summary);
  }
  return Exit::done;
}

Action declare_cells(const Flags& flags) {
  const auto name = std::make_shared<std::string>();
  flags.argument("name", *name, "NAME", "cell");
  return [name] { return run(*name); };
}

}  // namespace

const Command cells_command = {"cells", "list the cells, or describe one", declare_cells};

}  // namespace rlt
