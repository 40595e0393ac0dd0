#include "train/segments.hpp"

#include <doctest/doctest.h>

using namespace rlt;

namespace {

/// Token t and target t + 1, so that a misplaced pair shows.
Example counting(int first, int count) {
  Example example;
  for (int t = first; t < first + count; ++t) {
    example.tokens.push_back(t);
    example.targets.push_back(t + 1);
  }
  return example;
}

const std::vector<Example> documents = {counting(0, 5), counting(100, 9), counting(200, 3)};

}  // namespace

TEST_CASE("segments: every token is read once, in order, by the row that it belongs to") {
  const Segments segments(documents, 3, 4);  // 17 tokens: rows of 6, 6 and 5
  CHECK(segments.steps_per_epoch() == 2);
  std::vector<std::vector<int>> rows(3);
  for (Index step = 0; step < 2; ++step) {
    Batch batch({3, 4});
    segments.fill(step, batch);
    const Extent extent = batch.extent();
    CHECK(extent.steps == (step == 0 ? 4 : 2));
    CHECK(segments.extent(step).steps == extent.steps);
    for (Index r = 0; r < extent.rows(); ++r) {
      if (batch.classes()[r] == not_scored) continue;
      CHECK(batch.classes()[r] == batch.tokens()[r] + 1);
      rows[static_cast<std::size_t>(r / extent.steps)].push_back(batch.tokens()[r]);
    }
  }
  CHECK(rows[0] == std::vector<int>{0, 1, 2, 3, 4, 100});
  CHECK(rows[1] == std::vector<int>{101, 102, 103, 104, 105, 106});
  CHECK(rows[2] == std::vector<int>{107, 108, 200, 201, 202});
}

TEST_CASE("segments: the state starts anew with each document, and with each epoch") {
  const Segments segments(documents, 3, 4);
  Batch batch({3, 4});
  segments.fill(0, batch);
  REQUIRE(batch.starts() != nullptr);
  CHECK(std::vector<int>(batch.starts(), batch.starts() + 12) ==
        std::vector<int>{1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0});
  segments.fill(1, batch);
  REQUIRE(batch.starts() != nullptr);
  CHECK(std::vector<int>(batch.starts(), batch.starts() + 6) == std::vector<int>{0, 1, 0, 0, 0, 0});
}

TEST_CASE("segments: more rows than tokens leave rows of padding") {
  const Segments segments({counting(0, 2)}, 5, 4);
  Batch batch({5, 4});
  segments.fill(0, batch);
  CHECK(batch.extent().steps == 1);
  int scored = 0;
  for (Index r = 0; r < 5; ++r) scored += batch.classes()[r] == not_scored ? 0 : 1;
  CHECK(scored == 2);
}

TEST_CASE("cut: pieces hold the documents in order and never cross a border") {
  const std::vector<Example> pieces = cut(documents, 4);
  std::vector<std::size_t> sizes;
  for (const Example& piece : pieces) sizes.push_back(piece.tokens.size());
  CHECK(sizes == std::vector<std::size_t>{4, 1, 4, 4, 1, 3});
  CHECK(pieces[2].tokens.front() == 100);
  CHECK(pieces[4].targets == std::vector<int>{109});
}
