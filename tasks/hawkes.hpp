// Self-exciting events (Hawkes 1971): each raises the intensity of all marks for a while.
//   lambda_i(t) = base_i + sum over past events (s, j) of B_ij g_j(t - s)
//   hawkes   g_j(a) = beta_j exp(-beta_j a)
//   delayed  g_j(a) = beta_j (beta_j a)^3 / 3! exp(-beta_j a), Erlang of shape 4: 0 at first, largest 3 / beta_j
//            after the event
// Both have 5 marks; base_i is uniform in [0.1, 0.3); B_ij = u^3 with u uniform, scaled to spectral radius 0.7;
// beta_j is log-uniform in [1, 20) of hawkes, [2, 8) of delayed. All are drawn once from Rng(13956), so that the
// process is the same for every seed of the data.
#pragma once

#include <memory>
#include <vector>

#include "tasks/point_process.hpp"

namespace rlt {

struct HawkesLaw {
  int shape = 1;             // of the Erlang kernel; 1: exponential
  std::vector<double> base;  // (K)
  std::vector<std::vector<double>>
      branching;              // (K, K): B_ij events of mark i for each one of mark j
  std::vector<double> decay;  // (K)
};
HawkesLaw hawkes_law();
HawkesLaw delayed_law();

std::unique_ptr<PointProcess> make_hawkes(HawkesLaw law);

}  // namespace rlt
