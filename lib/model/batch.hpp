// Token sequences of unequal length, padded on the right to the longest: harmless for causal cells.
#pragma once

#include <cstdint>
#include <vector>

#include "base/memory.hpp"
#include "nn/extent.hpp"
#include "tasks/task.hpp"

namespace rlt {

class Batch {
 public:
  /// Room for batches up to `largest`; filling never allocates afterwards. Error(failed) where there is none.
  explicit Batch(Extent largest) {
    constexpr std::size_t position = 2 * sizeof(int) + sizeof(std::uint8_t);
    require_memory(bytes_of(position, largest.rows()), "the tokens of a batch", "--batch");
    tokens_.reserve(static_cast<std::size_t>(largest.rows()));
    targets_.reserve(static_cast<std::size_t>(largest.rows()));
    starts_.reserve(static_cast<std::size_t>(largest.rows()));
  }

  /// `count` sequences of `steps` padded positions, all token 0, not scored and without a start mark.
  void reset(Index count, Index steps) {
    extent_ = {count, steps};
    tokens_.assign(static_cast<std::size_t>(extent_.rows()), 0);
    targets_.assign(static_cast<std::size_t>(extent_.rows()), not_scored);
    starts_.clear();
  }
  /// Copies positions [from, from + steps) of `example` into row b; beyond its end is padding.
  void set(Index b, const Example& example, Index from = 0) {
    const Index length = static_cast<Index>(example.tokens.size());
    for (Index t = 0; t < extent_.steps && from + t < length; ++t) {
      tokens_[static_cast<std::size_t>(b * extent_.steps + t)] =
          example.tokens[static_cast<std::size_t>(from + t)];
      targets_[static_cast<std::size_t>(b * extent_.steps + t)] =
          example.targets[static_cast<std::size_t>(from + t)];
    }
  }

  /// The state is reset before position t of row b: another document begins there.
  void mark_start(Index b, Index t) {
    if (starts_.empty()) starts_.assign(static_cast<std::size_t>(extent_.rows()), 0);
    starts_[static_cast<std::size_t>(b * extent_.steps + t)] = 1;
  }

  Extent extent() const { return extent_; }
  const int* tokens() const { return tokens_.data(); }
  const int* targets() const { return targets_.data(); }
  /// (B, T), or null when no start is marked.
  const std::uint8_t* starts() const { return starts_.empty() ? nullptr : starts_.data(); }

 private:
  Extent extent_;
  std::vector<int> tokens_;   // (B, T)
  std::vector<int> targets_;  // (B, T)
  std::vector<std::uint8_t> starts_;
};

}  // namespace rlt
