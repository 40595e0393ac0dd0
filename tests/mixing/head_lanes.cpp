#include "mixing/head_lanes.hpp"

#include <doctest/doctest.h>

#include <set>
#include <utility>
#include <vector>

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
