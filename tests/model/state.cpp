#include "model/state.hpp"

#include <doctest/doctest.h>

#include <numeric>
#include <vector>

using rlt::Index;
using rlt::Matrix;
using rlt::State;
using rlt::StateLayout;

namespace {

constexpr Index rows = 19;  // more than one group of lanes, and lanes to spare
constexpr Index size = 3 + 2 + 4;

/// 3 numbers in lanes, 2 in a row, 2 x 2 in lanes.
State<float> three_parts() {
  StateLayout in_lanes{.pieces = {{"W", {3}}}, .copies = 1, .in_lanes = true};
  const StateLayout in_row{.pieces = {{"h", {2}}}, .copies = 1, .in_lanes = false};
  StateLayout twice{.pieces = {{"W", {2}}}, .copies = 2, .in_lanes = true};
  return {rows, {in_lanes, in_row, twice}};
}

/// Number i of sequence b is 100 b + i, written in the form of rows.
State<float> numbered() {
  State<float> state = three_parts();
  const Matrix<float> all = state.to_rows();
  REQUIRE(all.rows == rows);
  REQUIRE(all.cols == size);
  for (Index b = 0; b < rows; ++b) {
    for (Index i = 0; i < size; ++i) all.row(b)[i] = static_cast<float>(100 * b + i);
  }
  state.from_rows();
  return state;
}

}  // namespace

TEST_CASE("state: each part lies as its layout says") {
  constexpr Index n = rlt::lane_count<float>;
  State<float> state = numbered();
  CHECK(state.part(0).data == nullptr);
  CHECK(state.lanes(1) == nullptr);
  CHECK(state.part(2).data == nullptr);
  CHECK(reinterpret_cast<std::uintptr_t>(state.lanes(0)) % (n * sizeof(float)) == 0);
  CHECK(reinterpret_cast<std::uintptr_t>(state.lanes(2)) % (n * sizeof(float)) == 0);
  for (Index b = 0; b < rows; ++b) {
    for (Index i = 0; i < 3; ++i) {
      CHECK(state.lanes(0)[(b / n * 3 + i) * n + b % n] == static_cast<float>(100 * b + i));
    }
    for (Index i = 0; i < 2; ++i) {
      CHECK(state.part(1).row(b)[i] == static_cast<float>(100 * b + 3 + i));
    }
    for (Index i = 0; i < 4; ++i) {
      CHECK(state.lanes(2)[(b / n * 4 + i) * n + b % n] == static_cast<float>(100 * b + 5 + i));
    }
  }
}

TEST_CASE("state: a sequence is copied whole and alone, and a part is filled for all") {
  State<float> state = numbered();
  State<float> other = three_parts();
  other.copy(4, state, 17);
  const float filling[] = {7, 8, 9};
  other.fill(0, filling);
  const Matrix<float> all = other.to_rows();
  for (Index b = 0; b < rows; ++b) {
    for (Index i = 0; i < size; ++i) {
      const float rest = b == 4 ? static_cast<float>(1700 + i) : 0;
      CHECK(all.row(b)[i] == (i < 3 ? filling[i] : rest));
    }
  }
}

TEST_CASE("state: heads of few sequences share lanes") {
  constexpr Index few = 3;
  constexpr Index n = rlt::lane_count<float>;
  const StateLayout two_heads{.pieces = {{"W", {5}}}, .copies = 2, .in_lanes = true};
  State<float> state(few, {two_heads});
  const Matrix<float> all = state.to_rows();
  for (Index i = 0; i < few * 10; ++i) all.data[i] = static_cast<float>(i);
  state.from_rows();
  for (Index b = 0; b < few; ++b) {
    for (Index head = 0; head < 2; ++head) {
      for (Index i = 0; i < 5; ++i) {
        CHECK(state.lanes(0)[i * n + head * few + b] == static_cast<float>(10 * b + 5 * head + i));
      }
    }
  }
}
