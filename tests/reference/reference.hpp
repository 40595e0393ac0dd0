// Independent, slow forward passes, written in xtensor from the papers' equations alone: one
// tests/reference/NAME.hpp a cell. They map x (T, D) of one sequence to y (T, D), parameters by name.
// Traps of xtensor 0.24: name every result's type (never `auto`), never assign to a view of itself.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <xtensor-blas/xlinalg.hpp>
#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xtensor.hpp>
#include <xtensor/xview.hpp>

#include "cells/registry.hpp"

namespace reference {

using Vector = xt::xtensor<double, 1>;
using Array2 = xt::xtensor<double, 2>;

/// The parameters of one cell in double, by the name that follows the cell's prefix ("slow.weight").
class Parameters {
 public:
  void set(const std::string& name, const std::vector<rlt::Index>& shape, const double* values) {
    std::vector<std::size_t> sizes(shape.begin(), shape.end());
    xt::xarray<double> array(sizes);
    std::copy_n(values, array.size(), array.begin());
    all_[name] = array;
  }
  Array2 matrix(const std::string& name) const { return all_.at(name); }
  Vector vector(const std::string& name) const { return all_.at(name); }
  /// Entry h of a parameter with a leading axis of heads.
  Array2 head_matrix(const std::string& name, std::size_t head) const {
    return xt::view(all_.at(name), head);
  }
  Vector head_vector(const std::string& name, std::size_t head) const {
    return xt::view(all_.at(name), head);
  }

 private:
  std::map<std::string, xt::xarray<double>> all_;
};

/// Those of a cell alone, named behind "cell."; what layers share has no such prefix.
template <typename T>
Parameters parameters_of(const rlt::ParameterSet<T>& parameters) {
  const std::string prefix = "cell.";
  Parameters named;
  for (const rlt::Parameter<T>& parameter : parameters.all()) {
    const std::vector<double> values(parameter.value, parameter.value + parameter.count());
    const std::size_t start = parameter.name.starts_with(prefix) ? prefix.size() : 0;
    named.set(parameter.name.substr(start), parameter.shape, values.data());
  }
  return named;
}

using Forward = std::function<Array2(const rlt::CellConfig&, const Parameters&, const Array2& x)>;

/// The reference of a cell, empty for one that has none. In all.cpp, so that they are compiled once.
Forward find(const std::string& cell);

inline Vector sigmoid(const Vector& a) { return 1.0 / (1.0 + xt::exp(-a)); }
inline double sigmoid(double a) { return 1.0 / (1.0 + std::exp(-a)); }
/// elu(a) + 1
inline Vector phi(const Vector& a) { return xt::where(a > 0.0, a + 1.0, xt::exp(a)); }
inline Vector sum_normalized(const Vector& p) {
  const double sum = xt::sum(p)();
  return p / sum;
}
inline Vector softmax(const Vector& a) {
  const double largest = xt::amax(a)();
  const Vector powers = xt::exp(a - largest);
  return sum_normalized(powers);
}
/// W^T k of a fast matrix W (key, value).
inline Vector read(const Array2& w, const Vector& k) {
  return xt::linalg::dot(xt::transpose(w), k);
}
inline Array2 outer(const Vector& a, const Vector& b) { return xt::linalg::outer(a, b); }

/// Calls head(h, slice of a with `width` columns) for each head and joins the results (T, d) along columns.
inline Array2 per_head(const rlt::CellConfig& config, const Array2& a, std::size_t width,
                       const std::function<Array2(std::size_t, const Array2&)>& head) {
  const std::size_t d = static_cast<std::size_t>(config.head_size());
  Array2 joined = xt::zeros<double>({a.shape()[0], static_cast<std::size_t>(config.d_model)});
  for (std::size_t h = 0; h < static_cast<std::size_t>(config.heads); ++h) {
    const Array2 slice = xt::view(a, xt::all(), xt::range(h * width, (h + 1) * width));
    const Array2 result = head(h, slice);
    xt::view(joined, xt::all(), xt::range(h * d, (h + 1) * d)) = result;
  }
  return joined;
}

}  // namespace reference
