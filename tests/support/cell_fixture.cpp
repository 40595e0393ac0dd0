#include "support/cell_fixture.hpp"

#include <algorithm>

namespace support {

template <typename T>
CellFixture<T>::CellFixture(const Variant& variant, rlt::Extent largest, std::uint64_t seed)
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

template <typename T>
std::vector<T> CellFixture<T>::random(const std::string& name, Index count, double scale) const {
  const rlt::Rng rng = rlt::Rng(7).stream(name);
  std::vector<T> values(static_cast<std::size_t>(count));
  for (Index i = 0; i < count; ++i) values[i] = static_cast<T>(scale * (2 * rng.uniform(i) - 1));
  return values;
}

template <typename T>
std::vector<T> CellFixture<T>::forward(rlt::Extent extent, std::vector<T>& x,
                                       const rlt::Pass<T>& pass) {
  std::vector<T> y(x.size());
  cell->forward(sequence(extent, x), pass, sequence(extent, y));
  return y;
}

template <typename T>
std::vector<T> CellFixture<T>::backward(rlt::Extent extent, std::vector<T>& x, std::vector<T>& dy) {
  std::vector<T> dx(x.size(), T(99));  // overwritten
  cell->backward(sequence(extent, x), sequence(extent, dy), sequence(extent, dx));
  return dx;
}

template <typename T>
std::vector<T> CellFixture<T>::fresh_state(Index batch, Index context) const {
  std::vector<T> state(static_cast<std::size_t>(batch * cell->state_size(context)), T(5));
  cell->initial_state({state.data(), batch, cell->state_size(context)});
  return state;
}

template <typename T>
const rlt::Parameter<T>& CellFixture<T>::named(const std::string& name) const {
  return *std::ranges::find(parameters.all(), "cell." + name, &rlt::Parameter<T>::name);
}

template <typename T>
std::vector<T> CellFixture<T>::gradients() const {
  return {parameters.gradients(), parameters.gradients() + parameters.flat_size()};
}

template class CellFixture<float>;
template class CellFixture<double>;

}  // namespace support
