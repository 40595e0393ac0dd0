// Which keys a query sees.
#pragma once

#include <algorithm>
#include <xsimd/xsimd.hpp>

#include "base/index.hpp"

namespace rlt {

/// Of the keys since the last start, at most the latest `length`, up to the query's own step or to the one
/// before. Steps are numbers or vectors of numbers.
struct Visibility {
  static constexpr Index everything = Index{1} << 30;
  Index length = everything;
  bool self = true;

  template <typename Number>
  Number last(const Number& step) const {
    return self ? step : step - Number(1);
  }
  template <typename Number>
  Number first(const Number& start, const Number& step) const {
    return later(start, last(step) - Number(static_cast<float>(length - 1)));
  }

 private:
  static Index later(Index a, Index b) { return std::max(a, b); }
  template <typename Vector>
  static Vector later(const Vector& a, const Vector& b) {
    return xsimd::max(a, b);
  }
};

}  // namespace rlt
