// Parameters and their gradients: two flat arrays, so that optimisers, clipping and checkpoints are one
// loop each. Layers first declare parameters by name; then `allocate` places and `initialize` draws them.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/index.hpp"
#include "nn/init.hpp"
#include "tensor/arena.hpp"

namespace rlt {

template <typename T>
struct Parameter {
  std::string name;  // block.0.cell.slow.weight
  std::vector<Index> shape;
  Init init;
  Index offset = 0;  // in both flat arrays
  T* value = nullptr;
  T* gradient = nullptr;

  Index count() const {
    Index total = 1;
    for (const Index side : shape) total = product(total, side);
    return total;
  }
};

template <typename T>
class ParameterSet {
 public:
  /// The returned reference stays valid; `value` and `gradient` are set by `allocate`.
  Parameter<T>& add(std::string name, std::vector<Index> shape, Init init);
  /// The parameter of that name, which several layers share: added by the first that asks for it.
  Parameter<T>& share(const std::string& name, std::vector<Index> shape, Init init);
  /// Places all parameters, in one flat array of values and one of gradients, both zero. Error(failed) when
  /// this machine has no room for them.
  void allocate();
  /// In the place of `allocate`: the same numbers as those of `other` that have the same names, which must outlive this.
  void refer_to(const ParameterSet& other);
  /// Draws every entry anew; depends on the seed and the parameter's name alone.
  void initialize(std::uint64_t seed);
  void zero_gradients();

  const std::deque<Parameter<T>>& all() const { return parameters_; }
  /// Number of trained numbers, without padding.
  Index count() const;
  /// Length of the flat arrays: each parameter starts on a cache line; the gaps stay zero.
  Index flat_size() const { return flat_size_; }
  T* values() { return values_; }
  T* gradients() { return gradients_; }
  const T* values() const { return values_; }
  const T* gradients() const { return gradients_; }

 private:
  std::deque<Parameter<T>> parameters_;
  Arena memory_;
  Index flat_size_ = 0;
  T* values_ = nullptr;
  T* gradients_ = nullptr;
};

}  // namespace rlt
