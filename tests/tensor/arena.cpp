#include "tensor/arena.hpp"

#include <doctest/doctest.h>

#include <new>
#include <utility>
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

using namespace rlt;

TEST_CASE("arena: measuring counts what a bound arena hands out") {
  Workspace workspace;
  const auto take = [&] {
    float* const tape = workspace.tape.take<float>(3, 5);
    const ScratchScope scope(workspace);
    double* const scratch = workspace.scratch.take<double>(Index{9});
    return std::pair(tape, scratch);
  };
  CHECK(take().first == nullptr);
  CHECK(workspace.bytes() == 64 + guard_bytes + 128);
  workspace.allocate();
  const auto [tape, scratch] = take();
  CHECK(tape[14] == 0);
  CHECK(scratch[8] == 0);
  CHECK(workspace.bytes() == 64 + guard_bytes + 128);
}

TEST_CASE("arena: a bound run that takes more than the measured one is stopped") {
  Arena arena;
  arena.take<float>(16);
  arena.allocate();
  arena.take<float>(16);
  CHECK_THROWS(arena.take<float>(1));
}

#if defined(__SANITIZE_ADDRESS__)
TEST_CASE("arena: behind each piece of a tape lies a guard, up to it none") {
  Workspace workspace;
  const auto take = [&] {
    return std::pair(workspace.tape.take<float>(16), workspace.tape.take<float>(16));
  };
  take();
  workspace.allocate();
  const auto [first, second] = take();
  CHECK_FALSE(__asan_address_is_poisoned(first + 15));
  CHECK(__asan_address_is_poisoned(first + 16));
  CHECK_FALSE(__asan_address_is_poisoned(second));
}
#endif

TEST_CASE(
    "arena: sizes that overflow count as more than any machine has, and are never allocated") {
  constexpr Index large = Index{1} << 40;
  for (const Index last : {Index{1} << 23, Index{1} << 24, large, Index{-1}}) {
    CAPTURE(last);
    Workspace workspace;
    workspace.tape.take<float>(large, last);  // 2^40 2^24 4 bytes would be 0 in 64 bits
    workspace.tape.take<float>(1);
    workspace.scratch.take<double>(large, large, 3);
    CHECK(workspace.bytes() > std::size_t{1} << 62);
    CHECK_THROWS_AS(workspace.allocate(), std::bad_alloc);
  }
}
