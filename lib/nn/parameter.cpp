#include "nn/parameter.hpp"

#include <algorithm>
#include <utility>

#include "base/memory.hpp"
#include "nn/elementwise.hpp"

namespace rlt {

template <typename T>
Parameter<T>& ParameterSet<T>::add(std::string name, std::vector<Index> shape, Init init) {
  parameters_.push_back({std::move(name), std::move(shape), std::move(init)});
  return parameters_.back();
}

template <typename T>
Parameter<T>& ParameterSet<T>::share(const std::string& name, std::vector<Index> shape, Init init) {
  const auto found = std::ranges::find(parameters_, name, &Parameter<T>::name);
  return found != parameters_.end() ? *found : add(name, std::move(shape), std::move(init));
}

template <typename T>
void ParameterSet<T>::allocate() {
  memory_ = Arena();
  constexpr Index line = static_cast<Index>(memory_alignment / sizeof(T));
  flat_size_ = 0;
  for (Parameter<T>& parameter : parameters_) {
    parameter.offset = flat_size_;
    flat_size_ += round_up(parameter.count(), line);
  }
  memory_.template take<T>(2, flat_size_);
  require_memory(memory_.peak(), "the weights and gradients of this model",
                 "--d-model, --layers or --ff");
  memory_.allocate();
  values_ = memory_.template take<T>(flat_size_);
  gradients_ = memory_.template take<T>(flat_size_);
  for (Parameter<T>& parameter : parameters_) {
    parameter.value = values_ + parameter.offset;
    parameter.gradient = gradients_ + parameter.offset;
  }
}

template <typename T>
void ParameterSet<T>::refer_to(const ParameterSet& other) {
  for (Parameter<T>& parameter : parameters_) {
    const auto found = std::ranges::find(other.parameters_, parameter.name, &Parameter<T>::name);
    parameter.value = found->value;
    parameter.gradient = found->gradient;
  }
}

template <typename T>
void ParameterSet<T>::initialize(std::uint64_t seed) {
  std::vector<double> values;
  for (const Parameter<T>& parameter : parameters_) {
    values.resize(static_cast<std::size_t>(parameter.count()));
    parameter.init(Rng(seed).stream("init").stream(parameter.name), parameter.shape, values);
    for (Index i = 0; i < parameter.count(); ++i) parameter.value[i] = static_cast<T>(values[i]);
  }
}

template <typename T>
void ParameterSet<T>::zero_gradients() {
  for_buffer_blocks(flat_size_, [&](Index first, Index last) {
    std::fill(gradients_ + first, gradients_ + last, T(0));
  });
}

template <typename T>
Index ParameterSet<T>::count() const {
  Index total = 0;
  for (const Parameter<T>& parameter : parameters_) total += parameter.count();
  return total;
}

template class ParameterSet<float>;
template class ParameterSet<double>;

}  // namespace rlt
