#include "tensor/lanes.hpp"

#include <doctest/doctest.h>

#include <array>
#include <vector>

using rlt::Index;
using rlt::lane_count;
using rlt::Lanes;

namespace {

template <typename T>
using Block = std::array<Lanes<T>, static_cast<std::size_t>(lane_count<T>)>;

/// first, first + 1, ...: no two alike.
template <typename T>
std::vector<T> counting(Index count, Index first = 1) {
  std::vector<T> values(static_cast<std::size_t>(count));
  for (Index i = 0; i < count; ++i) values[i] = static_cast<T>(first + i);
  return values;
}

template <typename T>
T lane(const Lanes<T>& value, Index i) {
  return value.get(static_cast<std::size_t>(i));
}

/// Row r holds 100 r, 100 r + 1, ...
template <typename T>
Block<T> numbered() {
  Block<T> block;
  for (Index r = 0; r < lane_count<T>; ++r) {
    block[r] = Lanes<T>::load_unaligned(counting<T>(lane_count<T>, 100 * r).data());
  }
  return block;
}

}  // namespace

TEST_CASE_TEMPLATE("lanes: a partial load fills up with zeros, a partial store writes no further",
                   T, float, double) {
  for (Index count = 0; count <= lane_count<T> + 1; ++count) {
    CAPTURE(count);
    const std::vector<T> from = counting<T>(std::max(count, Index{1}));
    const Lanes<T> value = rlt::load_lanes(from.data(), count);
    for (Index i = 0; i < lane_count<T>; ++i)
      CHECK(lane(value, i) == (i < count ? T(i + 1) : T(0)));
    std::vector<T> to(static_cast<std::size_t>(lane_count<T> + 2), T(77));
    rlt::store_lanes(to.data(), Lanes<T>(T(5)), count);
    for (Index i = 0; i < std::ssize(to); ++i) {
      CHECK(to[i] == (i < std::min(count, lane_count<T>) ? T(5) : T(77)));
    }
  }
}

TEST_CASE_TEMPLATE("lanes: a square block is transposed", T, float, double) {
  Block<T> block = numbered<T>();
  rlt::transpose_lanes<T>(block);
  for (Index r = 0; r < lane_count<T>; ++r) {
    for (Index c = 0; c < lane_count<T>; ++c) CHECK(lane(block[r], c) == T(100 * c + r));
  }
}

TEST_CASE_TEMPLATE("lanes: lane r of the sums is the sum of row r", T, float, double) {
  Block<T> block = numbered<T>();
  const Lanes<T> sums = rlt::sum_each<T>(block);
  constexpr Index n = lane_count<T>;
  for (Index r = 0; r < n; ++r) CHECK(lane(sums, r) == T(100 * r * n + n * (n - 1) / 2));
}

// Channels on both sides of whole blocks; rows that fill no vector; rows further apart than their channels.
TEST_CASE_TEMPLATE(
    "lanes: rows are gathered into lanes and scattered back, and nothing else is touched", T, float,
    double) {
  constexpr Index n = lane_count<T>;
  for (const Index channels : {Index{1}, n - 1, n, n + 1, 2 * n + 3}) {
    for (const Index count : {Index{1}, n - 1, n}) {
      CAPTURE(channels);
      CAPTURE(count);
      const Index stride = channels + 5;
      const std::vector<T> rows = counting<T>(count * stride);
      std::vector<Lanes<T>> gathered(static_cast<std::size_t>(channels));
      rlt::gather_lanes(rows.data(), stride, count, channels, gathered.data());
      for (Index c = 0; c < channels; ++c) {
        for (Index r = 0; r < n; ++r) {
          CHECK(lane(gathered[c], r) == (r < count ? rows[r * stride + c] : T(0)));
        }
      }
      std::vector<T> back(rows.size(), T(-1));
      rlt::scatter_lanes(gathered.data(), channels, count, back.data(), stride);
      for (Index i = 0; i < std::ssize(back); ++i) {
        CHECK(back[i] == (i % stride < channels ? rows[i] : T(-1)));
      }
    }
  }
}
