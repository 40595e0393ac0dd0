#include "base/size.hpp"

#include <doctest/doctest.h>

#include "tests/support/message.hpp"

using namespace rlt;

TEST_CASE("size: a product that does not fit is an error, never another number") {
  constexpr Index large = Index{1} << 40;
  CHECK(product(3, 5, 7) == 105);
  CHECK(product(large, 1 << 22) == Index{1} << 62);
  CHECK(test::error_of([] { product(large, 1 << 23); }).starts_with("2: these sizes"));
  CHECK(test::error_of([] { product(32, 576460752303423489); }).starts_with("2: these sizes"));
}

TEST_CASE("size: bytes that cannot be counted are more than any machine has") {
  constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
  CHECK(bytes_of(4, Index{3}, Index{5}) == 60);
  CHECK(bytes_of(8, Index{1} << 61) == most);
  CHECK(bytes_of(4, Index{1} << 40, Index{1} << 40, Index{0}) == most);
  CHECK(bytes_of(1, Index{-1}) == most);
  CHECK(sum_of(3, 4) == 7);
  CHECK(sum_of(most, 1) == most);
}
