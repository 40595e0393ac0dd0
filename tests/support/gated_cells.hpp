// agalite and galite at the sizes that a test wants.
#pragma once

#include "support/cell_fixture.hpp"

namespace support {

inline Variant gated_variant(const std::string& cell, Index width, Index heads,
                             const rlt::OptionValues& options) {
  rlt::CellConfig config;
  config.d_model = width;
  config.heads = heads;
  config.options = options;
  return {cell, rlt::complete(cell, config)};
}

/// The parameter of a fixture's cell as a matrix; a vector is one row.
inline rlt::Matrix<double> parameter_of(const CellFixture<double>& fixture,
                                        const std::string& name) {
  for (const rlt::Parameter<double>& parameter : fixture.parameters.all()) {
    if (parameter.name != "cell." + name) continue;
    const Index cols = parameter.shape.back();
    return {parameter.value, parameter.count() / cols, cols};
  }
  throw std::out_of_range(name);
}

}  // namespace support
