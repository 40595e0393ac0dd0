#include "nn/dropout.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

using rlt::Dropout;
using rlt::Index;
using rlt::Rng;

namespace {

std::vector<float> mask(const Dropout& dropout, Index count) {
  std::vector<float> x(static_cast<std::size_t>(count), 1.0F);
  dropout.apply(x.data(), count);
  return x;
}

}  // namespace

TEST_CASE("dropout: a number is dropped at the rate, and scaled to keep the mean otherwise") {
  constexpr Index count = 100'000;
  for (const double rate : {0.1, 0.5, 0.9}) {
    CAPTURE(rate);
    Index dropped = 0;
    for (const float factor : mask({rate, Rng(3)}, count)) {
      if (factor == 0) {
        ++dropped;
      } else {
        CHECK(factor == static_cast<float>(1 / (1 - rate)));
      }
    }
    const double expected = rate * count;
    CHECK(std::abs(static_cast<double>(dropped) - expected) <
          4 * std::sqrt(expected * (1 - rate)));  // four standard deviations; the key is fixed
  }
}

TEST_CASE("dropout: at rate 0 nothing happens") {
  const Dropout off{0, Rng(3)};
  CHECK(!off.active());
  CHECK(Dropout{0.1, Rng(3)}.active());
  CHECK(mask(off, 1000) == std::vector<float>(1000, 1.0F));
  std::vector<float> x = {3, 4};
  off.apply_block(x.data(), 7, 2);
  CHECK(x == std::vector<float>{3, 4});
}

TEST_CASE("dropout: the mask is a function of key and index, block by block or at once") {
  constexpr Index count = 40'003;  // more than one block of the buffer
  const Dropout dropout{0.4, Rng(3)};
  const std::vector<float> whole = mask(dropout, count);
  CHECK(mask(dropout, count) == whole);
  CHECK(mask(dropout, 100) == std::vector<float>(whole.begin(), whole.begin() + 100));
  std::vector<float> pieces(static_cast<std::size_t>(count), 1.0F);
  for (Index first = 0; first < count; first += 777) {
    dropout.apply_block(pieces.data() + first, first, std::min<Index>(777, count - first));
  }
  CHECK(pieces == whole);
  for (Index i = 0; i < count; i += 101) CHECK(dropout.factor<float>(i) == whole[i]);
}

TEST_CASE("dropout: other keys and other layers have other masks, of the same rate") {
  constexpr Index count = 10'000;
  const Dropout dropout{0.5, Rng(3)};
  const std::vector<float> one = mask(dropout.stream(0), count);
  for (const Dropout& other : {dropout, dropout.stream(1), Dropout{0.5, Rng(4)}}) {
    CHECK(other.rate == 0.5);
    const std::vector<float> two = mask(other, count);
    Index equal = 0;
    for (std::size_t i = 0; i < one.size(); ++i) equal += one[i] == two[i] ? 1 : 0;
    CHECK(std::abs(static_cast<double>(equal) - 5000) < 4 * 50);  // independent: half of them
  }
  CHECK(mask(dropout.stream(0), count) == one);
}
