#include "nn/row_blocks.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

using rlt::Index;

TEST_CASE("row blocks: they cover every row once, in order within a part") {
  for (const Index rows : {1, 255, 256, 1600, 1601, 8192, 100000}) {
    std::vector<Index> part_of(static_cast<std::size_t>(rows), -1);
    rlt::for_row_blocks(rows, [&](const rlt::RowBlock& block) {
      CHECK(block.count >= 1);
      CHECK(block.count <= rlt::block_rows);
      CHECK(block.opens == (block.first == block.part * rlt::part_rows(rows)));
      for (Index row = block.first; row < block.first + block.count; ++row) {
        CHECK(part_of[static_cast<std::size_t>(row)] == -1);
        part_of[static_cast<std::size_t>(row)] = block.part;
      }
    });
    CHECK(std::ranges::is_sorted(part_of));
    CHECK(part_of.front() == 0);
    CHECK(part_of.back() == rlt::part_count(rows) - 1);
  }
}
