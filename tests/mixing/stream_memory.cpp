#include "mixing/stream_memory.hpp"

#include <doctest/doctest.h>

#include <vector>

using rlt::Index;
using rlt::Matrix;
using rlt::StreamMemory;

namespace {

constexpr Index slots = 5;
constexpr Index width = 3;
constexpr Index cached = 2;
const StreamMemory<float>::Sizes sizes{slots, width, cached};

/// Input n is (n, n, n), its keys and values n + 100 .. n + 103.
void append(const StreamMemory<float>& memory, Index b, Index n) {
  const float first = static_cast<float>(n);
  const std::vector<float> input(static_cast<std::size_t>(width), first);
  const std::vector<float> keys_values = {first + 100, first + 101, first + 102, first + 103};
  memory.append(b, input.data(), keys_values.data());
}

}  // namespace

TEST_CASE("stream memory: holds the last inputs with their keys and values, however many come") {
  const Index size = sizes.layout().size();
  CHECK(size == 1 + slots * (width + 2 * cached));
  std::vector<float> state(static_cast<std::size_t>(2 * size), 0.0F);
  const StreamMemory<float> memory(sizes, {state.data(), 2, size});
  append(memory, 0, 77);
  for (Index n = 0; n < 1000; ++n) {
    append(memory, 1, n);
    REQUIRE(memory.count(1) == std::min(n + 1, slots));
    for (Index age = 0; age < memory.count(1); ++age) {
      const Index slot = memory.slot(1, age);
      REQUIRE(slot < memory.count(1));
      const float first = static_cast<float>(n - age);
      REQUIRE(memory.row(1, slot)[width - 1] == first);
      REQUIRE(memory.key_columns(1).row(1)[slot] == first + 101);
      REQUIRE(memory.values(1).row(slot)[1] == first + 103);
    }
  }
  CHECK(memory.count(0) == 1);
  CHECK(memory.row(0, 0)[0] == 77);
}

TEST_CASE("stream memory: clearing forgets one sequence, and the next input is its first") {
  const Index size = sizes.layout().size();
  std::vector<float> state(static_cast<std::size_t>(2 * size), 0.0F);
  const StreamMemory<float> memory(sizes, {state.data(), 2, size});
  for (Index n = 0; n < 7; ++n) {
    append(memory, 0, n);
    append(memory, 1, n);
  }
  memory.clear(0);
  CHECK(memory.count(0) == 0);
  CHECK(memory.count(1) == slots);
  append(memory, 0, 9);
  CHECK(memory.count(0) == 1);
  CHECK(memory.row(0, memory.slot(0, 0))[0] == 9);
}
