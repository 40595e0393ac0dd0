#include "base/rng.hpp"

#include <doctest/doctest.h>

#include <array>
#include <bit>
#include <cmath>
#include <set>
#include <string_view>
#include <vector>

using rlt::Draws;
using rlt::Index;
using rlt::Rng;

namespace {

/// SplitMix64 as it was published: a state that grows, and the output mixed from it.
struct SplitMix64 {
  std::uint64_t state;
  std::uint64_t next() {
    std::uint64_t z = (state += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
};

}  // namespace

TEST_CASE("rng: the values of a seed are SplitMix64's, keyed by its first output") {
  SplitMix64 published{1234567};  // with the outputs that are known for this seed
  for (const std::uint64_t output :
       {6457827717110365317U, 3203168211198807973U, 9817491932198370423U, 4593380528125082431U,
        16408922859458223821U}) {
    CHECK(published.next() == output);
  }
  for (const std::uint64_t seed : {0ULL, 1ULL, 1234567ULL, ~0ULL}) {
    SplitMix64 expected{SplitMix64{seed}.next()};
    for (Index i = 0; i < 100; ++i) CHECK(Rng(seed).bits(i) == expected.next());
  }
}

// Every stored run and data set depends on these: another value is another experiment.
TEST_CASE("rng: the values are these for ever") {
  constexpr Rng rng(1);
  static_assert(rng.bits(0) == 0x5e41ab087439611e);
  CHECK(rng.bits(1) == 0xf18d6ce93d6cf1ee);
  CHECK(rng.bits(1'000'000) == 0xb2222badf7fafddf);
  CHECK(rng.stream(7).bits(0) == 0xce51b2c99334a23b);
  CHECK(rng.stream("init").bits(0) == 0x86f7fcf009811d0f);
  CHECK(rng.stream("init").stream("head.weight").bits(5) == 0xdc4b554bf82b406b);
  CHECK(rng.stream("").bits(0) == 0xc830c3dc970b3430);
  CHECK(rng.uniform(0) == 0.36818951565166946);
  CHECK(rng.uniform(1) == 0.9435642308648544);
  const std::array<Index, 12> below_ten = {3, 9, 0, 7, 2, 7, 6, 2, 1, 2, 6, 9};
  for (Index i = 0; i < 12; ++i) CHECK(rng.below(i, 10) == below_ten[i]);
  CHECK(rng.normal(0) == doctest::Approx(0.8986774254906462).epsilon(1e-14));
}

TEST_CASE("rng: what a stream gives does not depend on what others were asked") {
  const Rng rng(5);
  const std::uint64_t before = rng.stream("a").bits(3);
  rng.stream("b").bits(0);
  rng.bits(3);
  CHECK(rng.stream("a").bits(3) == before);
}

// 64 bits of two independent streams differ in 32 +- 4; a mean over 1000 of them in 32 +- 0.13.
TEST_CASE("rng: seeds, names and numbers next to each other give independent streams") {
  const auto check_independent = [](const Rng& a, const Rng& b) {
    double differing = 0;
    for (Index i = 0; i < 1000; ++i) differing += std::popcount(a.bits(i) ^ b.bits(i)) / 1000.0;
    CHECK(std::abs(differing - 32) < 0.6);
  };
  const Rng rng(1);
  check_independent(rng, Rng(2));
  check_independent(rng, rng.stream(0));
  check_independent(rng.stream(0), rng.stream(1));
  check_independent(rng.stream(0).stream(1), rng.stream(1).stream(0));
  check_independent(rng.stream("a"), rng.stream("b"));
  check_independent(rng.stream("ab"), rng.stream("ba"));
  check_independent(rng.stream("0"), rng.stream(0));
  std::set<std::uint64_t> seen;
  for (std::uint64_t stream = 0; stream < 200; ++stream) {
    for (Index i = 0; i < 200; ++i) seen.insert(rng.stream(stream).bits(i));
  }
  CHECK(seen.size() == 200 * 200);  // no stream is a shifted other one
}

// Chi-squared with 63 degrees of freedom: mean 63, deviation 11.2. The seed is fixed.
TEST_CASE("rng: uniform numbers fill [0, 1) evenly, also pair by pair") {
  constexpr Index count = 64'000;
  const Rng rng(3);
  std::array<double, 64> single{};
  std::array<double, 64> pairs{};
  for (Index i = 0; i < count; ++i) {
    const double u = rng.uniform(i);
    CHECK(u >= 0);
    CHECK(u < 1);
    ++single[static_cast<std::size_t>(u * 64)];
    ++pairs[static_cast<std::size_t>(u * 8) * 8 +
            static_cast<std::size_t>(rng.uniform(i + count) * 8)];
  }
  for (const auto& counts : {single, pairs}) {
    double chi_squared = 0;
    for (const double n : counts) chi_squared += (n - 1000) * (n - 1000) / 1000;
    CHECK(chi_squared > 63 - 4 * 11.2);
    CHECK(chi_squared < 63 + 4 * 11.2);
  }
}

TEST_CASE("rng: whole numbers below a bound are all reached, equally often") {
  const Rng rng(4);
  std::array<double, 7> counts{};
  for (Index i = 0; i < 70'000; ++i) {
    const Index number = rng.below(i, 7);
    REQUIRE(number >= 0);
    REQUIRE(number < 7);
    ++counts[number];
  }
  for (const double n : counts) CHECK(std::abs(n - 10'000) < 4 * 92.6);  // four deviations
  CHECK(rng.below(0, 1) == 0);
}

TEST_CASE("draws: a cursor gives the values of its stream one after the other") {
  const Rng rng(6);
  Draws draws(rng);
  CHECK(draws.uniform() == rng.uniform(0));
  CHECK(draws.below(10) == rng.below(1, 10));
  CHECK(draws.between(5, 8) == 5 + rng.below(2, 4));
  CHECK(draws.chance(0.5) == (rng.uniform(3) < 0.5));
  CHECK(draws.uniform() == rng.uniform(4));
  std::set<Index> reached;
  for (int i = 0; i < 100; ++i) reached.insert(draws.between(-1, 2));
  CHECK(reached == std::set<Index>{-1, 0, 1, 2});
  for (int i = 0; i < 100; ++i) {
    CHECK(!draws.chance(0));
    CHECK(draws.chance(1));
  }
}
