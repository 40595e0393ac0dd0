#include "base/error.hpp"
#include "base/nearest.hpp"
#include "blocks/block.hpp"

namespace rlt {
namespace {

const BlockEntry& find(std::string_view name) {
  std::vector<std::string> known;
  for (const BlockEntry& entry : all_blocks()) {
    if (entry.info.name == name) return entry;
    known.push_back(entry.info.name);
  }
  fail(Exit::usage, "block {}: unknown{}", name, suggestion(name, known));
}

}  // namespace

const std::vector<BlockEntry>& all_blocks() {
  static const std::vector<BlockEntry> entries = {
#define RLT_BLOCK(name) blocks::name(),
#include "blocks/blocks.def"
#undef RLT_BLOCK
  };
  return entries;
}

const BlockInfo& block_info(std::string_view name) { return find(name).info; }

template <std::floating_point T>
std::unique_ptr<Cell<T>> wrap(std::string_view block, std::unique_ptr<Cell<T>> cell, Index width,
                              Index inner, NormForm norm) {
  const BlockEntry& entry = find(block);
  if constexpr (std::same_as<T, float>)
    return entry.make_float(std::move(cell), width, inner, norm);
  if constexpr (std::same_as<T, double>)
    return entry.make_double(std::move(cell), width, inner, norm);
}

template <std::floating_point T>
std::unique_ptr<Cell<T>> make_block(const LayerConfig& config) {
  const Index width = config.config.d_model;
  return wrap<T>(config.block, make_cell<T>(config.cell, config.config), width, config.ff * width,
                 *config.norm);
}

template std::unique_ptr<Cell<float>> wrap<float>(std::string_view, std::unique_ptr<Cell<float>>,
                                                  Index, Index, NormForm);
template std::unique_ptr<Cell<double>> wrap<double>(std::string_view, std::unique_ptr<Cell<double>>,
                                                    Index, Index, NormForm);
template std::unique_ptr<Cell<float>> make_block<float>(const LayerConfig&);
template std::unique_ptr<Cell<double>> make_block<double>(const LayerConfig&);

}  // namespace rlt
