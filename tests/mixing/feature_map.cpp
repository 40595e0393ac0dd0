#include "mixing/feature_map.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "cells/registry.hpp"
#include "support/message.hpp"

using rlt::Index;
using Vector = std::vector<double>;

namespace {

constexpr Index heads = 32;

// Heads of d numbers.
rlt::CellConfig config_of(const std::string& cell, Index d, const rlt::OptionValues& options) {
  rlt::CellConfig config;
  config.d_model = heads * d;
  config.heads = heads;
  config.options = options;
  return rlt::complete(cell, config);
}

Vector mapped(const rlt::CellConfig& config, const Vector& x, Index head = 0) {
  using V = rlt::Lanes<double>;
  rlt::FeatureMap<double> phi(config);
  phi.declare("cell");
  phi.prepare();
  const std::vector<V> in(x.begin(), x.end());
  std::vector<V> out(static_cast<std::size_t>(phi.size()));
  std::vector<V> kept(static_cast<std::size_t>(phi.kept()) + 1);
  phi.forward({.first = head}, in.data(), out.data(), kept.data());
  Vector result;
  for (const V& value : out) result.push_back(value.get(0));
  return result;
}

double dot(const Vector& a, const Vector& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace

TEST_CASE("feature map: dpfp multiplies rectified neighbours") {
  const rlt::CellConfig config =
      config_of("linear", 3, {{"feature_map", "dpfp"}, {"dpfp_nu", "2"}});
  // r = [2 0 3 0 5 0]; r_i r_{i-1}, then r_i r_{i-2}
  CHECK(mapped(config, {2, -5, 3}) == Vector{0, 0, 0, 0, 0, 0, 10, 0, 6, 0, 15, 0});
  // r = [2 5 3 0 0 0]
  CHECK(mapped(config, {2, 5, 3}) == Vector{0, 10, 15, 0, 0, 0, 0, 0, 6, 0, 0, 0});
}

TEST_CASE("feature map: favor is on average the kernel of softmax attention") {
  const rlt::CellConfig config =
      config_of("linear", 4, {{"feature_map", "favor"}, {"favor_features", "256"}});
  const Vector q = {0.6, -0.2, 0.5, 0.1};
  for (const Vector& k : {Vector{0.4, 0.3, 0.9, -0.5}, Vector{-0.8, 0.1, -0.7, 0.2}, q}) {
    double mean = 0;
    for (Index head = 0; head < heads; ++head) {
      mean += dot(mapped(config, q, head), mapped(config, k, head)) / static_cast<double>(heads);
    }
    // sqrt(d) = 2; the spread of one head is a few percent, that of 32 below 1 %
    CHECK(mean == doctest::Approx(std::exp(dot(q, k) / 2)).epsilon(0.03));
  }
}

TEST_CASE("feature map: directions of favor are orthogonal, and every head and layer has its own") {
  constexpr Index d = 7;
  constexpr Index m = 17;  // two blocks of d and a part
  const Vector projection = rlt::favor_projection(d, m, "cell", 0);
  const auto overlap = [&](Index i, Index j) {
    double sum = 0;
    for (Index e = 0; e < d; ++e) sum += projection[e * m + i] * projection[e * m + j];
    return sum;
  };
  for (Index i = 0; i < m; ++i) {
    CHECK(overlap(i, i) > 0.1);
    for (Index j = i + 1; j < std::min(m, (i / d + 1) * d); ++j) {
      CHECK(std::abs(overlap(i, j)) < 1e-10);
    }
  }
  CHECK(std::abs(overlap(0, d)) > 1e-3);  // of other blocks: independent
  CHECK(projection != rlt::favor_projection(d, m, "cell", 1));
  CHECK(projection != rlt::favor_projection(d, m, "block.1.cell", 0));
}

TEST_CASE("feature map: favor stays bounded where a wide head's exponents would overflow float") {
  constexpr Index d = 256;
  const rlt::CellConfig config =
      config_of("linear", d, {{"feature_map", "favor"}, {"favor_features", "1"}});
  Vector x = rlt::favor_projection(d, 1, "cell", 0);  // x / d^(1/4) = the direction itself
  for (double& entry : x) entry *= std::pow(d, 0.25);
  CHECK(mapped(config, x)[0] == doctest::Approx(std::exp(20) / std::sqrt(2)));
}

TEST_CASE("feature map: N(phi) sums to 1, also of favor far from the origin") {
  for (const std::string map : {"elu1", "softmax", "dpfp", "favor"}) {
    CAPTURE(map);
    const rlt::CellConfig config = config_of("deltanet", 3, {{"feature_map", map}});
    double sum = 0;
    for (const double value : mapped(config, {40, 30, -70})) sum += value;
    CHECK(sum == doctest::Approx(1));
  }
}

TEST_CASE("feature map: keys too long for the kernels are refused in one line") {
  CHECK(rlt::test::error_of([] {
          config_of("deltanet", 256, {{"feature_map", "dpfp"}, {"dpfp_nu", "4"}});
        }) ==
        "2: --cell-option feature_map=dpfp: keys of 2048 numbers in heads of 256; at most 1024");
  CHECK(rlt::test::error_of([] {
          config_of("linear", 128, {{"feature_map", "dpfp"}, {"dpfp_nu", "4"}});
        }) == "no error");
  CHECK(rlt::test::error_of([] {
          config_of("linear", 6, {{"favor_features", "2.5"}});
        }) == "2: --cell-option favor_features=2.5: linear takes a whole number from 0 to 256");
}
