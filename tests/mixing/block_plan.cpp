#include "mixing/block_plan.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace rlt;

namespace {

struct Planned {
  BlockPlan plan;
  Workspace workspace;
  std::vector<Index> starts;

  Planned(Index window, Extent extent, std::vector<Index> starts_, std::vector<Index> counts,
          BlockPlan::Start start = BlockPlan::Start::opens_block)
      : plan(window), starts(std::move(starts_)) {
    plan.carve(workspace, extent);
    workspace.allocate();
    plan.carve(workspace, extent);
    plan.make(extent, starts.data(), counts.data(), start);
  }
};

}  // namespace

TEST_CASE("block plan: blocks go on over the border of a segment, and a start opens one") {
  // Windows of 3: the first sequence comes with two steps of a block, the second starts anew at step 2.
  const Planned planned(3, {2, 6}, {-9, -9, -9, -9, -9, -9, 0, 0, 2, 2, 2, 2}, {2, 0});
  const BlockPlan& plan = planned.plan;
  CHECK(plan.entries() == 3);
  CHECK(plan.starts_anew(2));
  CHECK_FALSE(plan.starts_anew(1));
  REQUIRE(plan.waves() == 2);
  CHECK(plan.updates(0) == 2);
  CHECK(plan.updates(1) == 1);
  const auto check = [&](Index index, Index sequence, Index end, Index nulls, Index source) {
    CAPTURE(index);
    CHECK(plan.update(index).sequence == sequence);
    CHECK(plan.update(index).end == end);
    CHECK(plan.update(index).nulls == nulls);
    CHECK(plan.update(index).source == source);
    CHECK(plan.update(index).target == 3 + index);
  };
  check(0, 0, 1, 0, 0);
  check(1, 1, 5, 3, 2);
  check(2, 0, 4, 0, 3);
  const auto reads = [&](Index b) {
    std::vector<Index> values;
    for (Index t = 0; t < 6; ++t) values.push_back(plan.read_by(b, t));
    return values;
  };
  CHECK(reads(0) == std::vector<Index>{0, 3, 3, 3, 5, 5});
  CHECK(reads(1) == std::vector<Index>{1, 1, 2, 2, 2, 4});
  CHECK(plan.last(0) == 5);
  CHECK(plan.last(1) == 4);
  CHECK(plan.count(0) == 2);
  CHECK(plan.count(1) == 1);
  CHECK(plan.is_read(0));
  CHECK(plan.is_read(1));
}

TEST_CASE("block plan: what the last step of a segment makes is read in the next one only") {
  const Planned planned(3, {1, 6}, {0, 0, 0, 0, 0, 0}, {0});
  CHECK(planned.plan.waves() == 2);
  CHECK(planned.plan.is_read(0));
  CHECK_FALSE(planned.plan.is_read(1));
  CHECK(planned.plan.update(0).nulls == 3);
  CHECK(planned.plan.update(1).nulls == 0);
  CHECK(planned.plan.last(0) == 2);
  CHECK(planned.plan.count(0) == 0);
}

TEST_CASE("block plan: where blocks end together a start inside one leaves its border alone") {
  // Windows of 3: both sequences come with one step; the second starts anew at step 1.
  const Planned planned(3, {2, 5}, {-9, -9, -9, -9, -9, -9, 1, 1, 1, 1}, {1, 1},
                        BlockPlan::Start::keeps_block);
  const BlockPlan& plan = planned.plan;
  REQUIRE(plan.waves() == 2);
  for (Index b = 0; b < 2; ++b) {
    CHECK(plan.update(b).end == 2);
    CHECK(plan.update(2 + b).end == 5);
    CHECK(plan.count(b) == 0);
  }
  // The 6 keys before step 2 end with one of the new document, those before step 5 with four.
  CHECK(plan.update(1).nulls == 5);
  CHECK(plan.update(3).nulls == 2);
  CHECK(plan.update(0).nulls == 0);
  CHECK(plan.update(1).source == 2);
  CHECK(plan.starts_anew(2));
}
