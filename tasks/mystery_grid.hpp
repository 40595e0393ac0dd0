// The grid of mystery_path: its tiles, and the path that is drawn across it.
#pragma once

#include <algorithm>
#include <array>

#include "base/rng.hpp"

namespace rlt {

/// Of a 7 x 7 grid; y grows downwards.
struct Tile {
  static constexpr int side = 7, all = side * side;
  int x, y;

  int number() const { return side * y + x; }
  bool inside() const { return x >= 0 && x < side && y >= 0 && y < side; }
  bool operator==(const Tile&) const = default;
};

/// Tiles in the order in which they were added, without memory of its own.
class Tiles {
 public:
  void add(Tile tile) { list_[static_cast<std::size_t>(count_++)] = tile; }
  void remove(int index) {
    std::copy(list_.begin() + index + 1, list_.begin() + count_--, list_.begin() + index);
  }
  void reverse() { std::reverse(list_.begin(), list_.begin() + count_); }
  int size() const { return count_; }
  Tile operator[](int index) const { return list_[static_cast<std::size_t>(index)]; }

 private:
  std::array<Tile, Tile::all> list_{};
  int count_ = 0;
};

/// A path between opposite sides of the grid, start and goal included, around walls that are drawn first; they
/// shape the path, and nobody meets them later. Draws, in this order: the side of the start (left, right, top,
/// bottom), its place there, the goal's; for x, y in 1..4 whether there is a wall (33 of 100); a coin for 4 or 8
/// walls on the ring, and each of those; the costs 1..8 of the steps of the search. All of it again where the
/// walls leave no path: the original stops there.
Tiles draw_path(Draws& draws);

}  // namespace rlt
