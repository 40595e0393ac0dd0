// Sequences of unequal length, padded on the right to the longest: harmless for causal cells.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "base/memory.hpp"
#include "base/size.hpp"
#include "losses/loss.hpp"
#include "nn/sequence.hpp"
#include "tasks/task.hpp"

namespace rlt {

/// What a model reads at each position: a token, a vector of real numbers, or both.
struct Inputs {
  Extent extent;
  const int* tokens = nullptr;               // (B,T), or null
  Matrix<const float> reals{nullptr, 0, 0};  // (B T, F), or null
  const Index* lengths = nullptr;            // (B), each at most T; null: T each
};

class Batch {
 public:
  /// Room for batches up to `largest`; filling never allocates afterwards. `features`, `target_size`: real
  /// numbers of an input and of a target at each position. `asks_last`: targets have one position, that behind the
  /// whole sequence. Error(failed) where there is no room.
  explicit Batch(Extent largest, Index features = 0, Index target_size = 0, bool asks_last = false)
      : features_(features), target_size_(target_size), asks_last_(asks_last) {
    const auto rows = static_cast<std::size_t>(largest.rows());
    const auto asked = static_cast<std::size_t>(asks_last ? largest.batch : largest.rows());
    require_memory(
        sum_of(
            bytes_of(sizeof(int) + sizeof(std::uint8_t) + bytes_of(sizeof(float), features), rows),
            bytes_of(sizeof(int) + bytes_of(sizeof(float), target_size), asked)),
        "a batch", "--batch");
    tokens_.reserve(rows);
    lengths_.reserve(static_cast<std::size_t>(largest.batch));
    classes_.reserve(asked);
    starts_.reserve(rows);
    reals_.reserve(rows * static_cast<std::size_t>(features));
    real_targets_.reserve(asked * static_cast<std::size_t>(target_size));
  }

  /// `count` sequences of `steps` padded positions, all token 0, not scored and without a start mark.
  void reset(Index count, Index steps) {
    extent_ = {count, steps};
    const auto rows = static_cast<std::size_t>(extent_.rows());
    const auto asked = static_cast<std::size_t>(asked_extent().rows());
    tokens_.assign(rows, 0);
    lengths_.assign(static_cast<std::size_t>(count), steps);
    classes_.assign(asked, not_scored);
    reals_.assign(rows * static_cast<std::size_t>(features_), 0);
    real_targets_.assign(asked * static_cast<std::size_t>(target_size_),
                         std::numeric_limits<float>::quiet_NaN());
    starts_.clear();
  }
  /// Copies positions [from, from + steps) of `example` into row b; beyond its end is padding. With `asks_last` the
  /// example must fit as a whole.
  void set(Index b, const Example& example, Index from = 0) {
    const auto copy = [&](const auto& values, Index size, Index steps, auto& rows) {
      if (size == 0) return;
      const Index count = std::min(steps, std::ssize(values) / size - from);
      if (count <= 0) return;
      std::copy_n(values.begin() + from * size, count * size, rows.begin() + b * steps * size);
    };
    const Index asked = asked_extent().steps;
    copy(example.tokens, 1, extent_.steps, tokens_);
    copy(example.targets, 1, asked, classes_);
    copy(example.reals, features_, extent_.steps, reals_);
    copy(example.real_targets, target_size_, asked, real_targets_);
    lengths_[static_cast<std::size_t>(b)] =
        std::clamp<Index>(std::ssize(example.tokens) - from, 0, extent_.steps);
  }

  /// Position t of row b: its real inputs (F), the class asked there, its real targets (K).
  float* real(Index b, Index t) { return reals_.data() + (b * extent_.steps + t) * features_; }
  void ask(Index b, Index t, int wanted) { classes_[place(b, t)] = wanted; }
  float* real_target(Index b, Index t) {
    return real_targets_.data() + (b * extent_.steps + t) * target_size_;
  }
  /// Row b becomes the beginning of row `from` of `other`, which has as many features and targets.
  void copy(Index b, const Batch& other, Index from) {
    const auto copy_positions = [&](const auto& values, Index size, auto& rows) {
      if (values.empty()) return;
      std::copy_n(values.begin() + from * other.extent_.steps * size, extent_.steps * size,
                  rows.begin() + b * extent_.steps * size);
    };
    copy_positions(other.tokens_, 1, tokens_);
    copy_positions(other.classes_, 1, classes_);
    copy_positions(other.reals_, features_, reals_);
    copy_positions(other.real_targets_, target_size_, real_targets_);
    for (Index t = 0; t < extent_.steps && !other.starts_.empty(); ++t) {
      if (other.starts_[other.place(from, t)] != 0) mark_start(b, t);
    }
  }

  /// The state is reset before position t of row b: another document begins there.
  void mark_start(Index b, Index t) {
    if (starts_.empty()) starts_.assign(static_cast<std::size_t>(extent_.rows()), 0);
    starts_[place(b, t)] = 1;
  }

  Extent extent() const { return extent_; }
  const int* tokens() const { return tokens_.data(); }
  const int* classes() const { return classes_.data(); }
  Inputs inputs() const {
    return {extent_, tokens_.data(), {reals_.data(), extent_.rows(), features_}, lengths_.data()};
  }
  /// `blank`: TaskInfo::blank.
  Targets targets(int blank = -1) const {
    const Extent asked = asked_extent();
    return {asked, classes_.data(), blank, {real_targets_.data(), asked.rows(), target_size_}};
  }
  /// (B, T), or null when no start is marked.
  const std::uint8_t* starts() const { return starts_.empty() ? nullptr : starts_.data(); }

 private:
  Extent asked_extent() const { return {extent_.batch, asks_last_ ? 1 : extent_.steps}; }
  std::size_t place(Index b, Index t) const {
    return static_cast<std::size_t>(b * extent_.steps + t);
  }

  Index features_, target_size_;
  bool asks_last_;
  Extent extent_;
  std::vector<int> tokens_;          // (B, T)
  std::vector<Index> lengths_;       // (B)
  std::vector<int> classes_;         // (B, T), or (B, 1)
  std::vector<float> reals_;         // (B, T, F)
  std::vector<float> real_targets_;  // (B, T, K), or (B, 1, K)
  std::vector<std::uint8_t> starts_;
};

}  // namespace rlt
