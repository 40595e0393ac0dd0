// The sets of strings that a run trains and is measured on, each a pure function of its arguments. Drawing may
// take long, so that it ends with Stopped (stop.hpp) soon after a stop was requested.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

#include "tasks/task.hpp"

namespace rlt {

/// Strings seen, by a 64-bit hash. A collision makes a new string look old, so that it is redrawn
/// (about once in 10^12 draws); no set ever holds a string twice.
class StringSet {
 public:
  StringSet() = default;
  explicit StringSet(const std::vector<Example>& examples);
  /// False when the string was there before.
  bool insert(const std::vector<int>& tokens);
  bool contains(const std::vector<int>& tokens) const;

 private:
  std::unordered_set<std::uint64_t> hashes_;
};

/// Bin 0 is the training window, bin k covers [k step + 1, (k + 1) step] with step = TaskInfo::bin_step. For
/// brackets, whose lengths are even, the paper writes [52, 100] for [51, 100]: the same strings. Error(usage)
/// below bin 0 and beyond max_length.
Window bin_window(const TaskInfo& info, Index bin);

// The three makers of sets below: Error(failed) when the strings take more memory than is left.

/// Up to `sequences` distinct strings of the window; depends on (task, rule, window, seed), and a
/// smaller set is the beginning of a larger one. Fewer come back when the language has no more:
/// drawing stops after max(20, 10^6 / high, 100 found) tries in a row without a new string, so a
/// language of N equally likely strings misses one with probability below N exp(-100).
std::vector<Example> evaluation_set(const Task& task, Window window, Index sequences,
                                    std::uint64_t evaluation_seed);

/// The same for strings of exactly `length` symbols (a value that possible_length returns); stops
/// after max(20, 10^6 / length, 20 found) tries.
std::vector<Example> exact_set(const Task& task, Index length, Index sequences,
                               std::uint64_t evaluation_seed);

/// `size` training strings by the task's SplitRule. Error(usage) when the language has too few: no
/// admissible string in max(20, 10^6 / high, 100 found) tries in a row. A task with fixed sets
/// gives the first `size` of its own, or all of them when it has fewer.
std::vector<Example> training_set(const Task& task, Window window, Index size, std::uint64_t seed,
                                  const std::vector<Example>& validation);

/// Replaces `example` by a new training string, for training without a finite set: a function of
/// `row_rng` and, where the SplitRule says so, of the validation strings, which it avoids.
/// Error(usage) when 10,000 draws in a row were validation strings.
void fresh_example(const Task& task, Window window, const Rng& row_rng, const StringSet& validation,
                   Example& example);

/// 16 hexadecimal digits: 64-bit FNV-1a over the length (8 bytes), tokens, targets and real numbers (4 bytes
/// each, least significant first) of every example in order. Equal sets in another order differ.
std::string data_hash(const std::vector<Example>& examples);

}  // namespace rlt
