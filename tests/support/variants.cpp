#include "support/variants.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cells/registry.hpp"

namespace support {
namespace {

/// Options that act only together, or otherwise than alone.
const std::vector<std::pair<std::string, rlt::OptionValues>> joint_options = {
    {"gru", {{"form", "plain"}, {"init", "uniform"}}},
    {"linear", {{"feature_map", "dpfp"}, {"dpfp_nu", "3"}, {"sum_normalize", "on"}}},
    {"linear", {{"feature_map", "dpfp"}, {"normalizer", "on"}, {"scale", "rsqrt"}}},
    {"linear", {{"feature_map", "favor"}, {"favor_features", "9"}, {"normalizer", "on"}}},
    {"linear", {{"feature_map", "favor"}, {"favor_features", "4"}, {"sum_normalize", "on"}}},
    {"deltanet", {{"feature_map", "dpfp"}, {"dpfp_nu", "4"}, {"beta_max", "2"}}},
    {"deltanet", {{"feature_map", "dpfp"}, {"sum_normalize", "off"}, {"scale", "rsqrt"}}},
    {"deltanet", {{"feature_map", "favor"}, {"favor_features", "9"}}},
    {"deltanet", {{"feature_map", "favor"}, {"sum_normalize", "off"}}},
    {"deltanet", {{"feature_map", "softmax"}, {"sum_normalize", "off"}}},
    {"delta_mlp", {{"depth", "2"}, {"scale", "rsqrt"}}},
    {"gtrxl", {{"memory", "5"}, {"window", "sliding"}}},
    {"gtrxl", {{"memory", "5"}, {"window", "sliding"}, {"cache", "off"}, {"head_size", "0"}}},
    {"galite", {{"decay", "factored"}, {"nu", "3"}, {"head_size", "9"}}},
    {"agalite", {{"r", "5"}, {"eta", "3"}, {"head_size", "7"}}},
    {"agalite", {{"r", "5"}, {"eta", "3"}, {"head_size", "7"}, {"form", "scan"}}},
    {"transformer_xl", {{"window", "5"}}},
    {"sliding_window", {{"window", "1"}}},
    {"sliding_window", {{"window", "20"}}},
    {"block_recurrent", {{"window", "5"}, {"states", "3"}}},
    {"block_recurrent", {{"window", "1"}, {"states", "1"}, {"gate", "full"}}},
    {"block_recurrent", {{"window", "9"}, {"states", "4"}, {"configuration", "dual"}}},
    {"block_recurrent", {{"window", "5"}, {"states", "3"}, {"configuration", "single"}}},
    {"block_recurrent",
     {{"window", "5"}, {"states", "3"}, {"gate", "lstm"}, {"configuration", "dual"}}},
    {"block_recurrent",
     {{"window", "4"}, {"states", "3"}, {"gate", "full"}, {"configuration", "single"}}},
    {"block_recurrent", {{"window", "7"}, {"states", "2"}, {"gate", "lstm"}}},
    {"block_recurrent",
     {{"window", "6"}, {"states", "3"}, {"gate", "lstm"}, {"configuration", "single"}}},
    {"block_recurrent",
     {{"window", "6"}, {"states", "2"}, {"gate", "full"}, {"configuration", "dual"}}},
};

/// Heads whose size does not follow from d_model: large by default, so that only the defaults are tested with them,
/// everything else with d_model / heads numbers.
bool own_head_size(const rlt::CellInfo& info) {
  return std::ranges::any_of(info.options,
                             [](const rlt::Option& option) { return option.name == "head_size"; });
}

/// All other choices of an option, or its largest number.
std::vector<std::string> other_values(const rlt::Option& option) {
  if (option.name == "head_size") return {"0"};
  if (option.choices.empty()) return {fmt::format("{}", option.high)};
  std::vector<std::string> others = option.choices;
  std::erase(others, option.value);
  return others;
}

}  // namespace

std::string Variant::name() const {
  std::string text = cell;
  for (const auto& [key, value] : config.options) text += " " + key + "=" + value;
  if (config.positions != rlt::Positions::none) {
    text += " positions=" + std::string(rlt::to_string(config.positions));
  }
  return text;
}

bool may_grow(const Variant& variant) {
  if (variant.cell == "galite") return variant.config.text("decay") == "coded";
  if (variant.cell != "deltanet" || variant.config.text("sum_normalize") == "on") return false;
  const std::string& map = variant.config.text("feature_map");
  return map == "elu1" || map == "dpfp";
}

std::vector<Variant> variants() {
  std::vector<Variant> all;
  const auto add = [&](const rlt::CellInfo& info, const rlt::CellConfig& config) {
    Variant variant{info.name, rlt::complete(info.name, config)};
    if (variant.cell == "deltanet" && may_grow(variant)) {
      variant.config.options["beta_max"] = "0.01";  // keeps inputs near 1 tame
    }
    all.push_back(variant);
  };
  for (const rlt::CellEntry& entry : rlt::all_cells()) {
    rlt::CellConfig config;
    config.d_model = 12;
    config.heads = 2;
    add(entry.info, config);
    for (const rlt::Option& option : entry.info.options) {
      for (const std::string& value : other_values(option)) {
        rlt::CellConfig changed = config;
        if (own_head_size(entry.info)) changed.options["head_size"] = "0";
        changed.options[option.name] = value;
        add(entry.info, changed);
      }
    }
    for (const rlt::Positions positions : entry.info.positions) {
      if (positions == rlt::Positions::none || rlt::is_added(positions)) continue;
      rlt::CellConfig changed = config;
      changed.positions = positions;
      add(entry.info, changed);
    }
    for (const auto& [cell, options] : joint_options) {
      if (cell != entry.info.name) continue;
      rlt::CellConfig changed = config;
      changed.options = options;
      add(entry.info, changed);
    }
  }
  return all;
}

}  // namespace support
