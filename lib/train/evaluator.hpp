// Measures a model on sets of labelled strings. Strings are read in pieces with the state carried between,
// so that memory does not grow with their length for cells with a constant state.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "losses/loss.hpp"
#include "model/sequence_model.hpp"
#include "train/baselines.hpp"
#include "train/run_config.hpp"

namespace rlt {

/// Strings to measure on.
struct EvaluationSet {
  std::string split;  // bin0, bin1, ..., length, valid, test
  Window window;  // asked for, in the task's length_unit; {0, 0} for a set that came with the data
  Index length_min = 0;  // in tokens
  Index length_max = 0;
  int blank = -1;          // TaskInfo::blank
  bool documents = false;  // TaskInfo::documents
  Index bytes = 0;         // Task::predicted_bytes
  Index features = 0;      // TaskInfo::features, and so on
  Index real_targets = 0;
  bool asks_last = false;
  std::vector<Example> examples;
  /// For a cell whose state grows with the sequence: the documents, cut; each segment is read from a fresh state.
  /// Else empty.
  std::vector<Example> segments;
  /// What no learning gets on them. Slower than drawing them, so called only where scores are reported.
  std::function<Baselines(const std::vector<Example>&)> baselines;
  std::string hash;

  /// What a model reads, and the longest of it in tokens.
  const std::vector<Example>& strings() const { return segments.empty() ? examples : segments; }
  Index longest() const;
};

/// Bin 0 is the window that the run trains on, the others are the task's. The sets of this and the next two
/// functions must not outlive `task`.
EvaluationSet bin_set(const RunConfig& config, const Task& task, Index bin, Index sequences,
                      std::uint64_t seed);
/// Strings of one length (in length_units where the task is `exact_in_units`); where the language has none of
/// `length`, of the next length below.
EvaluationSet length_set(const Task& task, Index length, Index sequences, std::uint64_t seed);
/// A set that came with the data: "valid" or "test".
EvaluationSet fixed_set(const RunConfig& config, const Task& task, const std::string& split);

/// Bytes that one batch may carry from piece to piece.
inline constexpr std::size_t largest_state = std::size_t{512} << 20;

/// Positions with a label, how many of these were right, and what they lost.
struct Labels {
  Index scored = 0;
  Index right = 0;
  double loss = 0;
};

/// Labels counted by position, of all strings: entry 0 holds the positions 1 to `first`, and every entry ends where
/// twice as many positions have been read.
struct ByPosition {
  Index first = 1;
  std::vector<Labels> labels = {};

  Index low(std::size_t entry) const { return entry == 0 ? 1 : high(entry - 1) + 1; }
  Index high(std::size_t entry) const { return first << entry; }
};

/// Reads the examples in batches of at most `capacity.batch` sequences and pieces of `capacity.steps` tokens;
/// the model must have been carved for `capacity`, which must hold whole sequences where the set asks_last. Error(failed) when the carried state would need more
/// than `state_limit` bytes (attention keeps every token); Stopped soon after a stop was requested.
/// `by_position`, where it is asked for, is added to; pieces then end where its entries do as well.
template <std::floating_point T>
Score evaluate(SequenceModel<T>& model, const Loss<T>& loss, Extent capacity,
               const EvaluationSet& set, std::size_t state_limit = largest_state,
               ByPosition* by_position = nullptr);

}  // namespace rlt
