// One cell with its memory, random parameters and random numbers to read.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cells/registry.hpp"
#include "support/numbers.hpp"
#include "support/variants.hpp"

namespace support {

/// Compiled once, in cell_fixture.cpp.
template <typename T>
class CellFixture {
 public:
  CellFixture(const Variant& variant, rlt::Extent largest, std::uint64_t seed = 1);

  Index width() const { return config.d_model; }

  /// Entries uniform in [-scale, scale], from a stream named `name`.
  std::vector<T> random(const std::string& name, Index count, double scale = 1) const;

  std::vector<T> forward(rlt::Extent extent, std::vector<T>& x, const rlt::Pass<T>& pass = {});
  std::vector<T> backward(rlt::Extent extent, std::vector<T>& x, std::vector<T>& dy);
  std::vector<T> fresh_state(Index batch, Index context) const;
  rlt::Matrix<T> state_matrix(std::vector<T>& state, Index batch) const {
    return {state.data(), batch, static_cast<Index>(state.size()) / batch};
  }
  const rlt::Parameter<T>& named(const std::string& name) const;
  std::vector<T> gradients() const;
  rlt::Sequence<T> sequence(rlt::Extent extent, std::vector<T>& values) const {
    return {extent, values.data(), width()};
  }

  rlt::CellConfig config;
  rlt::ParameterSet<T> parameters;
  rlt::Workspace workspace;
  std::unique_ptr<rlt::Cell<T>> cell;
};

extern template class CellFixture<float>;
extern template class CellFixture<double>;

}  // namespace support
