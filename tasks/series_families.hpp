// Generated series of two classes (T, C).
//   energy: every value is drawn from N(0, deviation^2), deviation 1 for class 0 and 1.25 for class 1. Only the
//     histogram of the values tells, their order says nothing.
//   order: noise N(0, 0.5^2) everywhere and two motifs at random places, half a sine of height 2 upwards and one
//     downwards, max(1, T / 10) long, the same in all channels. Class 0: the upward one comes first. With each motif
//     goes its own noise, so that exchanging the two changes the class and no value: only the order tells.
#pragma once

#include <vector>

#include "base/rng.hpp"

namespace rlt {

/// Shortest series: room for two motifs.
inline constexpr Index shortest_family_series = 2;

std::vector<float> energy_series(const Rng& rng, Index length, Index channels, int label);
std::vector<float> order_series(const Rng& rng, Index length, Index channels, int label);

}  // namespace rlt
