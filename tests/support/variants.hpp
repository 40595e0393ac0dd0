// The cells and the settings of theirs that the contract tests run over.
#pragma once

#include <string>
#include <vector>

#include "mixing/cell_config.hpp"

namespace support {

/// A cell and one setting of it.
struct Variant {
  std::string cell;
  rlt::CellConfig config;
  std::string name() const;
};

/// The delta rule forgets by I - beta k k^T. Where keys are neither normalised nor bounded, beta |k|^2 may
/// pass 2: the state grows exponentially, by definition of the setting. The decay that galite's code has forgets
/// keys and values more slowly than the sum that it divides them by: their ratio has no bound.
bool may_grow(const Variant& variant);

/// Every cell at its defaults, then with each other choice of each option and each kind of positions, then
/// the joint options. d = 6 a head: no multiple of any vector width.
std::vector<Variant> variants();

}  // namespace support
