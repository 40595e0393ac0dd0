#include "mixing/head_lanes.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "base/rng.hpp"

using rlt::HeadLanes;
using rlt::Index;
using rlt::LaneHeads;
using rlt::Lanes;

TEST_CASE("head lanes: every head of every sequence has a lane of its own, and its group says so") {
  for (const Index lanes : {4, 8, 16}) {
    for (const Index heads : {1, 2, 3, 4, 7, 40}) {
      Index fewer = 0;
      for (Index batch = 1; batch < 3 * lanes; ++batch) {
        CAPTURE(lanes);
        CAPTURE(heads);
        CAPTURE(batch);
        const HeadLanes dealt(batch, heads, lanes);
        std::set<std::pair<Index, Index>> taken;
        for (Index row = 0; row < batch; ++row) {
          for (Index head = 0; head < heads; ++head) {
            const Index group = dealt.group(row, head);
            const Index lane = dealt.lane(row, head);
            const LaneHeads held = dealt.at(group);
            REQUIRE(group < dealt.groups());
            REQUIRE(lane < held.lanes());
            REQUIRE(held.lanes() <= lanes);
            REQUIRE(held.first + lane / held.rows == head);
            REQUIRE(dealt.first_row(group) + lane % held.rows == row);
            REQUIRE(taken.emplace(group, lane).second);
          }
        }
        Index all = 0;
        for (Index group = 0; group < dealt.groups(); ++group) all += dealt.at(group).lanes();
        REQUIRE(all == batch * heads);
        REQUIRE(dealt.groups() >= fewer);
        fewer = dealt.groups();
      }
    }
  }
}

TEST_CASE("head lanes: few sequences share lanes, many have one head in a group") {
  CHECK(HeadLanes(1, 4, 16).groups() == 1);
  CHECK(HeadLanes(8, 4, 16).groups() == 2);
  CHECK(HeadLanes(9, 4, 16).groups() == 4);
  CHECK(HeadLanes(32, 4, 16).groups() == 8);
}

TEST_CASE("head lanes: each head's body sees its own lanes alone") {
  constexpr Index n = rlt::lane_count<double>;
  const LaneHeads heads{.first = 5, .count = 2, .rows = n / 2};
  std::vector<Lanes<double>> values{Lanes<double>(3.0), Lanes<double>(-2.0)};
  std::vector<Lanes<double>> sums(2, Lanes<double>(0.0));
  heads.each<2, double>(values.data(), 2, [&](Index head, const Lanes<double>* own) {
    for (Index i = 0; i < 2; ++i) sums[i] += static_cast<double>(head) * own[i];
  });
  for (Index lane = 0; lane < n; ++lane) {
    const double head = lane < n / 2 ? 5 : 6;
    CHECK(sums[0].get(static_cast<std::size_t>(lane)) == 3 * head);
    CHECK(sums[1].get(static_cast<std::size_t>(lane)) == -2 * head);
  }
}

TEST_CASE("head lanes: a product with each head's own weights, few columns or many") {
  constexpr Index n = rlt::lane_count<float>;
  constexpr Index size = 5;
  const rlt::Rng rng(7);
  const auto random = [&](std::string_view name, Index numbers) {
    const rlt::Rng stream = rng.stream(name);
    std::vector<float> values(static_cast<std::size_t>(numbers));
    for (Index i = 0; i < numbers; ++i) values[i] = static_cast<float>(stream.normal(i));
    return values;
  };
  for (const Index cols : {Index(1), n - 1, n, n + 1, 2 * n, 3 * n + 1}) {
    for (const LaneHeads heads : {LaneHeads{.first = 3, .count = 1, .rows = n},
                                  LaneHeads{.first = 0, .count = 2, .rows = 1},
                                  LaneHeads{.first = 2, .count = 2, .rows = n / 2},
                                  LaneHeads{.first = 1, .count = n, .rows = 1}}) {
      CAPTURE(cols);
      CAPTURE(heads.count);
      const std::vector<float> weights =
          random("weights", (heads.first + heads.count) * size * cols);
      const std::vector<float> x = random("x", size * n);
      std::vector<float> y = random("y", cols * n);
      std::vector<float> expected = y;
      for (Index lane = 0; lane < heads.lanes(); ++lane) {
        const float* const w = &weights[(heads.first + lane / heads.rows) * size * cols];
        for (Index m = 0; m < cols; ++m) {
          for (Index e = 0; e < size; ++e) {
            float& sum = expected[m * n + lane];
            sum = std::fma(w[e * cols + m], x[e * n + lane], sum);
          }
        }
      }
      std::vector<Lanes<float>> vectors(static_cast<std::size_t>(cols));
      std::vector<Lanes<float>> inputs(size);
      for (Index m = 0; m < cols; ++m) vectors[m] = Lanes<float>::load_unaligned(&y[m * n]);
      for (Index e = 0; e < size; ++e) inputs[e] = Lanes<float>::load_unaligned(&x[e * n]);
      heads.add_read<size, float>(size, cols, inputs.data(), vectors.data(),
                                  [&](Index head) { return &weights[head * size * cols]; });
      for (Index m = 0; m < cols; ++m) vectors[m].store_unaligned(&y[m * n]);
      // The same order of the sums, so the same bits.
      for (Index i = 0; i < cols * n; ++i) {
        if (i % n < heads.lanes()) REQUIRE(y[i] == expected[i]);
      }
    }
  }
}
