#include "mixing/feature_map.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "base/rng.hpp"
#include "nn/init.hpp"

namespace rlt {

Index FeatureChoice::size() const {
  switch (kind) {
    case Kind::dpfp:
      return 2 * d * nu;
    case Kind::favor:
      return 2 * m;
    case Kind::elu1:
    case Kind::softmax:
      break;
  }
  return d;
}

FeatureChoice feature_choice(const CellConfig& config) {
  using Kind = FeatureChoice::Kind;
  const std::string& name = config.text("feature_map");
  const Index features = config.count("favor_features");
  return {.kind = name == "softmax" ? Kind::softmax
                  : name == "dpfp"  ? Kind::dpfp
                  : name == "favor" ? Kind::favor
                                    : Kind::elu1,
          .d = config.head_size(),
          .nu = config.count("dpfp_nu"),
          .m = features > 0 ? features : config.head_size(),
          .normalize = config.text("sum_normalize") == "on"};
}

void check_features(const CellConfig& config) {
  const FeatureChoice choice = feature_choice(config);
  if (choice.size() <= max_key_size) return;
  fail(Exit::usage, "--cell-option feature_map={}: keys of {} numbers in heads of {}; at most {}",
       config.text("feature_map"), choice.size(), choice.d, max_key_size);
}

std::vector<Option> feature_options(const std::string& sum_normalize) {
  return {{.name = "feature_map",
           .value = "elu1",
           .help = "of keys and queries",
           .choices = {"elu1", "softmax", "dpfp", "favor"}},
          {.name = "dpfp_nu",
           .value = "1",
           .help = "dpfp: keys of 2 d nu numbers",
           .choices = {},
           .low = 1,
           .high = 4,
           .whole = true,
           .only_with = "feature_map=dpfp"},
          {.name = "favor_features",
           .value = "0",
           .help = "favor: random directions m, keys of 2 m numbers; 0: the size of a head",
           .choices = {},
           .low = 0,
           .high = 256,
           .whole = true,
           .only_with = "feature_map=favor"},
          {.name = "sum_normalize",
           .value = sum_normalize,
           .help = "keys and queries divided by their sums",
           .choices = {"off", "on"}}};
}

// Directions are orthogonal among d rows at a time; lengths are drawn apart from them.
std::vector<double> favor_projection(Index d, Index m, std::string_view prefix, Index head) {
  const Rng rng = Rng(0).stream("favor").stream(prefix).stream(static_cast<std::uint64_t>(head));
  const Rng directions = rng.stream("directions");
  const Rng lengths = rng.stream("lengths");
  std::vector<double> transposed(static_cast<std::size_t>(d * m));
  for (Index first = 0; first < m; first += d) {
    const Index rows = std::min(d, m - first);
    std::vector<double> gaussian(static_cast<std::size_t>(d * rows));  // (d, rows)
    for (Index i = 0; i < d * rows; ++i) {
      gaussian[i % d * rows + i / d] = directions.normal(first * d + i);
    }
    const std::vector<double> q = orthonormal_columns(d, rows, gaussian);
    for (Index row = 0; row < rows; ++row) {
      double square = 0;
      for (Index e = 0; e < d; ++e) {
        const double entry = lengths.normal((first + row) * d + e);
        square += entry * entry;
      }
      for (Index e = 0; e < d; ++e) {
        transposed[e * m + first + row] = q[e * rows + row] * std::sqrt(square);
      }
    }
  }
  return transposed;
}

}  // namespace rlt
