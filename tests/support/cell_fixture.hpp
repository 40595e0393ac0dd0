// One cell with its memory, random parameters and a random probe, for the contract tests.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "cells/registry.hpp"
#include "reference/reference.hpp"
#include "support/numbers.hpp"

namespace support {

/// A cell and one setting of it: what the contract tests run over.
struct Variant {
  std::string cell;
  rlt::CellConfig config;
  std::string name() const {
    std::string text = cell;
    for (const auto& [key, value] : config.options) text += " " + key + "=" + value;
    if (config.positions != rlt::Positions::none) {
      text += " positions=" + std::string(rlt::to_string(config.positions));
    }
    return text;
  }
};

/// The delta rule forgets by I - beta k k^T. Where keys are neither normalised nor bounded, beta |k|^2 may
/// pass 2: the state grows exponentially, by definition of the setting. The decay that galite's code has forgets
/// keys and values more slowly than the sum that it divides them by: their ratio has no bound.
inline bool may_grow(const Variant& variant) {
  if (variant.cell == "galite") return variant.config.text("decay") == "coded";
  if (variant.cell != "deltanet" || variant.config.text("sum_normalize") == "on") return false;
  const std::string& map = variant.config.text("feature_map");
  return map == "elu1" || map == "dpfp";
}

/// Options that act only together, or otherwise than alone.
inline const std::vector<std::pair<std::string, rlt::OptionValues>> joint_options = {
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
inline bool own_head_size(const rlt::CellInfo& info) {
  return std::ranges::any_of(info.options,
                             [](const rlt::Option& option) { return option.name == "head_size"; });
}

/// All other choices of an option, or its largest number.
inline std::vector<std::string> other_values(const rlt::Option& option) {
  if (option.name == "head_size") return {"0"};
  if (option.choices.empty()) return {fmt::format("{}", option.high)};
  std::vector<std::string> others = option.choices;
  std::erase(others, option.value);
  return others;
}

/// Every cell at its defaults, then with each other choice of each option and each kind of positions, then
/// the joint options. d = 6 a head: no multiple of any vector width.
inline std::vector<Variant> variants() {
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

template <typename T>
class CellFixture {
 public:
  CellFixture(const Variant& variant, rlt::Extent largest, std::uint64_t seed = 1)
      : config(variant.config), cell(rlt::make_cell<T>(variant.cell, variant.config)) {
    cell->declare(parameters, "cell");
    parameters.allocate();
    // The same values for float and double; wider than a real start, so that no gradient is tiny.
    parameters.initialize(seed);
    for (const rlt::Parameter<T>& parameter : parameters.all()) {
      const rlt::Rng rng = rlt::Rng(seed).stream("spread").stream(parameter.name);
      for (Index i = 0; i < parameter.count(); ++i) {
        parameter.value[i] += static_cast<T>(0.3 * (2 * rng.uniform(i) - 1));
      }
    }
    cell->carve(workspace, largest);
    workspace.allocate();
    cell->carve(workspace, largest);
  }

  Index width() const { return config.d_model; }

  /// Entries uniform in [-scale, scale], from a stream named `name`.
  std::vector<T> random(const std::string& name, Index count, double scale = 1) const {
    const rlt::Rng rng = rlt::Rng(7).stream(name);
    std::vector<T> values(static_cast<std::size_t>(count));
    for (Index i = 0; i < count; ++i) values[i] = static_cast<T>(scale * (2 * rng.uniform(i) - 1));
    return values;
  }

  std::vector<T> forward(rlt::Extent extent, std::vector<T>& x, const rlt::Pass<T>& pass = {}) {
    std::vector<T> y(x.size());
    cell->forward(sequence(extent, x), pass, sequence(extent, y));
    return y;
  }
  std::vector<T> backward(rlt::Extent extent, std::vector<T>& x, std::vector<T>& dy) {
    std::vector<T> dx(x.size(), T(99));  // overwritten
    cell->backward(sequence(extent, x), sequence(extent, dy), sequence(extent, dx));
    return dx;
  }
  std::vector<T> fresh_state(Index batch, Index context) const {
    std::vector<T> state(static_cast<std::size_t>(batch * cell->state_size(context)), T(5));
    cell->initial_state({state.data(), batch, cell->state_size(context)});
    return state;
  }
  rlt::Matrix<T> state_matrix(std::vector<T>& state, Index batch) const {
    return {state.data(), batch, static_cast<Index>(state.size()) / batch};
  }
  const rlt::Parameter<T>& named(const std::string& name) const {
    return *std::ranges::find(parameters.all(), "cell." + name, &rlt::Parameter<T>::name);
  }
  std::vector<T> gradients() const {
    return {parameters.gradients(), parameters.gradients() + parameters.flat_size()};
  }
  reference::Parameters reference_parameters() const {
    reference::Parameters named;
    for (const rlt::Parameter<T>& parameter : parameters.all()) {
      const std::vector<double> values(parameter.value, parameter.value + parameter.count());
      // A parameter that layers share has no prefix.
      const std::string prefix = parameter.name.starts_with("cell.") ? "cell." : "";
      named.set(parameter.name.substr(prefix.size()), parameter.shape, values.data());
    }
    return named;
  }
  rlt::Sequence<T> sequence(rlt::Extent extent, std::vector<T>& values) const {
    return {extent, values.data(), width()};
  }

  rlt::CellConfig config;
  rlt::ParameterSet<T> parameters;
  rlt::Workspace workspace;
  std::unique_ptr<rlt::Cell<T>> cell;
};

}  // namespace support
