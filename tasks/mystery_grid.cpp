#include "tasks/mystery_grid.hpp"

#include <cmath>

namespace rlt {
namespace {

constexpr int last = Tile::side - 1;

int steps_between(Tile a, Tile b) { return std::abs(a.x - b.x) + std::abs(a.y - b.y); }
bool on_ring(Tile tile) { return tile.x % last == 0 || tile.y % last == 0; }

class Grid {
 public:
  explicit Grid(Draws& draws) {
    draw_ends(draws);
    for (int x = 1; x < last - 1; ++x) {
      for (int y = 1; y < last - 1; ++y) at({x, y}).wall = draws.below(100) < 33;
    }
    draw_ring_walls(draws);
  }

  /// Best first, with random costs and two quirks of the original: the next tile is the first that beats the
  /// oldest one, not the best; a shorter way to a tile changes its parent, not its cost. Empty: no path.
  Tiles search(Draws& draws) {
    Tiles open;
    open.add(start_);
    while (open.size() > 0) {
      const int chosen = choose(open);
      const Tile current = open[chosen];
      if (current == goal_) return trace();
      open.remove(chosen);
      at(current).closed = true;
      for (const Tile step : {Tile{1, 0}, {-1, 0}, {0, 1}, {0, -1}}) {
        const Tile next = {current.x + step.x, current.y + step.y};
        if (next.inside() && !at(next).wall && !at(next).closed) visit(draws, current, next, open);
      }
    }
    return {};
  }

 private:
  struct Node {
    bool wall = false, seen = false, closed = false;
    int cost = 0;
    double estimate = 0;  // cost + distance to the goal
    Tile parent{};
  };
  Node& at(Tile tile) { return nodes_[static_cast<std::size_t>(tile.number())]; }

  void draw_ends(Draws& draws) {
    const Index from = draws.below(4);
    const int start = static_cast<int>(draws.below(Tile::side));
    const int goal = static_cast<int>(draws.below(Tile::side));
    const int near = from % 2 == 0 ? 0 : last;
    start_ = from < 2 ? Tile{near, start} : Tile{start, near};
    goal_ = from < 2 ? Tile{last - near, goal} : Tile{goal, last - near};
  }

  /// On tiles that touch neither an inner wall nor, side by side, start or goal.
  void draw_ring_walls(Draws& draws) {
    Tiles free;
    for (int x = 0; x <= last; ++x) {
      for (int y = 0; y <= last; ++y) {
        const Tile tile = {x, y};
        if (on_ring(tile) && steps_between(tile, start_) > 1 && steps_between(tile, goal_) > 1 &&
            !touches_wall(tile)) {
          free.add(tile);
        }
      }
    }
    for (int left = draws.below(2) == 0 ? 4 : 8; left > 0 && free.size() > 0; --left) {
      const int chosen = static_cast<int>(draws.below(free.size()));
      at(free[chosen]).wall = true;
      free.remove(chosen);
    }
  }

  bool touches_wall(Tile tile) {
    for (int x = tile.x - 1; x <= tile.x + 1; ++x) {
      for (int y = tile.y - 1; y <= tile.y + 1; ++y) {
        if (Tile{x, y}.inside() && at({x, y}).wall) return true;
      }
    }
    return false;
  }

  int choose(const Tiles& open) {
    for (int i = 1; i < open.size(); ++i) {
      if (at(open[i]).estimate < at(open[0]).estimate) return i;
    }
    return 0;
  }

  void visit(Draws& draws, Tile from, Tile to, Tiles& open) {
    const int cost = at(from).cost + static_cast<int>(draws.between(1, 8));
    Node& node = at(to);
    if (node.seen && cost >= node.cost) return;
    node.parent = from;
    if (node.seen) return;
    node.seen = true;
    node.cost = cost;
    const int x = to.x - goal_.x, y = to.y - goal_.y;
    node.estimate = cost + std::sqrt(static_cast<double>(x * x + y * y));
    open.add(to);
  }

  Tiles trace() {
    Tiles path;
    for (Tile tile = goal_; tile != start_; tile = at(tile).parent) path.add(tile);
    path.add(start_);
    path.reverse();
    return path;
  }

  std::array<Node, Tile::all> nodes_{};
  Tile start_{}, goal_{};
};

}  // namespace

Tiles draw_path(Draws& draws) {
  for (;;) {
    Grid grid(draws);
    const Tiles path = grid.search(draws);
    if (path.size() > 0) return path;
  }
}

}  // namespace rlt
