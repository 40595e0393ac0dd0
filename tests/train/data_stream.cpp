#include "train/data_stream.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

using namespace rlt;

namespace {

RunConfig parity(Index bucket) {
  RunConfig config;
  config.rule = "honest";
  config.train_size = 330;
  config.batch = 16;
  config.bucket = bucket;
  return config;
}

struct Read {
  std::map<std::vector<int>, int> times;  // that a padded row was read
  Index tokens = 0;
  Index padding = 0;
  std::vector<Index> longest;  // of each batch
};

Read epoch(const RunConfig& config, Index number) {
  const auto task = make_task(config);
  DataStream data(config, *task, {});
  Read read;
  for (Index step = 1; step <= data.steps_per_epoch(); ++step) {
    const Extent extent = data.choose(number * data.steps_per_epoch() + step);
    Batch batch(extent);
    data.fill(batch);
    CHECK(batch.extent().batch == extent.batch);
    CHECK(batch.extent().steps == extent.steps);
    read.longest.push_back(extent.steps);
    for (Index b = 0; b < extent.batch; ++b) {
      std::vector<int> row;
      for (Index t = 0; t < extent.steps; ++t) {
        const Index at = b * extent.steps + t;
        if (batch.classes()[at] == not_scored) continue;
        row.push_back(batch.tokens()[at]);
      }
      read.tokens += std::ssize(row);
      read.padding += extent.steps - std::ssize(row);
      ++read.times[row];
    }
  }
  return read;
}

}  // namespace

TEST_CASE("data stream: an epoch reads every string once, with buckets and without") {
  const Read plain = epoch(parity(1), 0);
  const Read sorted = epoch(parity(7), 0);
  CHECK(plain.times == sorted.times);
  CHECK(epoch(parity(7), 3).times == sorted.times);
}

TEST_CASE("data stream: buckets pad less and still mix short and long batches") {
  const Read plain = epoch(parity(1), 0);
  const Read sorted = epoch(parity(10), 0);
  CHECK(sorted.padding * 4 < plain.padding);
  CHECK(!std::ranges::is_sorted(sorted.longest));
  CHECK(epoch(parity(10), 1).longest != sorted.longest);
}

TEST_CASE("data stream: a step reads the same strings whenever it is asked") {
  const RunConfig config = parity(4);
  const auto task = make_task(config);
  DataStream straight(config, *task, {});
  DataStream resumed(config, *task, {});
  for (Index step = 1; step <= 40; ++step) straight.choose(step);
  const Extent extent = straight.choose(41);
  REQUIRE(resumed.choose(41).steps == extent.steps);
  Batch one(extent);
  Batch two(extent);
  straight.fill(one);
  resumed.fill(two);
  CHECK(std::equal(one.tokens(), one.tokens() + extent.rows(), two.tokens()));
}
