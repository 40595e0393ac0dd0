#include "tasks/series_families.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace rlt {

std::vector<float> energy_series(const Rng& rng, Index length, Index channels, int label) {
  const double deviation = label == 0 ? 1 : 1.25;
  std::vector<float> values(static_cast<std::size_t>(length * channels));
  for (Index i = 0; i < std::ssize(values); ++i) {
    values[static_cast<std::size_t>(i)] = static_cast<float>(deviation * rng.normal(i));
  }
  return values;
}

std::vector<float> order_series(const Rng& rng, Index length, Index channels, int label) {
  constexpr double noise = 0.5, height = 2;
  const Index motif = std::max<Index>(1, length / 10);
  const Rng noises = rng.stream("noise"), places = rng.stream("places");
  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(length * channels));
  Index drawn = 0;  // steps of the rest; noise goes to the upward motif, the downward one, the rest
  const auto append = [&](Index first, Index steps, double sign) {
    for (Index t = 0; t < steps; ++t) {
      const double along = (static_cast<double>(t) + 0.5) / static_cast<double>(motif);
      const double shape = sign * height * std::sin(std::numbers::pi * along);
      for (Index c = 0; c < channels; ++c) {
        values.push_back(
            static_cast<float>(shape + noise * noises.normal((first + t) * channels + c)));
      }
    }
  };
  const auto append_rest = [&](Index steps) {
    append(2 * motif + drawn, steps, 0);
    drawn += steps;
  };
  // How much of the rest lies before the first motif and before the second.
  const Index rest = length - 2 * motif;
  const std::pair<Index, Index> before =
      std::minmax({places.below(0, rest + 1), places.below(1, rest + 1)});
  append_rest(before.first);
  append(label == 0 ? 0 : motif, motif, label == 0 ? 1 : -1);
  append_rest(before.second - before.first);
  append(label == 0 ? motif : 0, motif, label == 0 ? -1 : 1);
  append_rest(rest - before.second);
  return values;
}

}  // namespace rlt
