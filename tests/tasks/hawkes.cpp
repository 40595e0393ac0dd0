#include "tasks/hawkes.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace rlt;

// Intensities, compensators and draws: tests/tasks/point_process.cpp.
TEST_CASE("hawkes: the laws of hawkes and delayed are as stated") {
  const HawkesLaw hawkes = hawkes_law(), delayed = delayed_law();
  CHECK(hawkes.shape == 1);
  CHECK(delayed.shape == 4);
  for (const HawkesLaw& law : {hawkes, delayed}) {
    REQUIRE(law.base.size() == 5);
    for (const double base : law.base) CHECK((base >= 0.1 && base < 0.3));
    const bool is_hawkes = law.shape == 1;
    for (const double decay : law.decay) {
      CHECK(decay >= (is_hawkes ? 1 : 2));
      CHECK(decay < (is_hawkes ? 20 : 8));
    }
    // trace(B^64)^(1/64) is the spectral radius times at most 5^(1/64) = 1.026, for real eigenvalues; by squaring
    std::vector<std::vector<double>> power = law.branching;
    for (int i = 0; i < 6; ++i) {
      std::vector<std::vector<double>> square(5, std::vector<double>(5, 0));
      for (int a = 0; a < 5; ++a) {
        for (int b = 0; b < 5; ++b) {
          for (int c = 0; c < 5; ++c) square[a][c] += power[a][b] * power[b][c];
        }
      }
      power = square;
    }
    double trace = 0;
    for (int a = 0; a < 5; ++a) trace += power[a][a];
    CHECK(std::pow(trace, 1.0 / 64) == doctest::Approx(0.7).epsilon(0.03));
  }
}
