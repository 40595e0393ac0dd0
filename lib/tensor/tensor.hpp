// The project's tensor: a non-owning, row-major xtensor adaptor over memory that someone else holds.
// Copying or assigning a Tensor rebinds it (no values move); `xt::noalias(y) = expression` writes values.
// A const Tensor is read-only.
#pragma once

#include <array>
#include <cstddef>
#include <xtensor/xtensor.hpp>

#include "base/index.hpp"

namespace rlt {

template <typename T, std::size_t N>
using Tensor =
    xt::xtensor_adaptor<xt::xbuffer_adaptor<T*, xt::no_ownership>, N, xt::layout_type::row_major>;

/// A Tensor over `data` (may be null: such a tensor has no elements that may be touched).
template <typename T, std::size_t N>
Tensor<T, N> tensor(T* data, const std::array<Index, N>& shape) {
  std::array<std::size_t, N> sizes;
  std::size_t count = 1;
  for (std::size_t i = 0; i < N; ++i) {
    sizes[i] = static_cast<std::size_t>(shape[i]);
    count *= sizes[i];
  }
  return Tensor<T, N>(xt::xbuffer_adaptor<T*, xt::no_ownership>(data, count), sizes);
}

/// Length of one axis.
template <typename Array>
Index side(const Array& array, std::size_t axis) {
  return static_cast<Index>(array.shape()[axis]);
}

}  // namespace rlt
