// What the kinds of `rlt eval` share: strings with labels, how far they carry, and episodes of an environment.
#pragma once

#include <filesystem>
#include <string>

#include "commands.hpp"
#include "train/evaluator.hpp"

namespace rlt {

struct EvalCommand {
  std::string run;      // run folder or checkpoint file
  std::string bins;     // "0,1,2"
  std::string lengths;  // "50,100-500:50"
  std::string select;   // best or last of a run folder; empty: best
  Index sequences = 500;
  Index batch = 32;
  Index piece = 128;  // tokens read at once
  std::uint64_t eval_seed = 1;
  bool greedy = false;
  double target_return = 0;  // where given
  bool show = false;
  bool positions = false;
  bool horizon = false;
  Index max_length = 1'000'000;           // of the search for the horizon
  std::vector<std::string> task_options;  // in place of the run's own
  std::string csv;                        // empty or "-": stdout
  std::string data;                       // where the run's own data lie now
  GivenFlags given;
};

/// A file to measure, and what the column `select` says of it.
struct Checkpoint {
  std::filesystem::path path;
  std::string select;
};

/// A run's model, ready to read batches of `capacity`.
template <std::floating_point T>
struct Trained {
  SequenceModel<T>& model;
  const Loss<T>& loss;
  Extent capacity;
  const RunConfig& config;
  Index step;          // updates before the checkpoint
  std::string select;  // which checkpoint
};

/// Searches the longest strings that the model still gets right, up to --max-length. Every length tried becomes a row
/// of --csv or of the run's horizon.csv.
template <std::floating_point T>
void eval_horizon(const EvalCommand& command, const Task& task, const Trained<T>& trained);

/// Plays episodes: a row for each size in --lengths, or the size of the training; or one episode as text.
void eval_play(const EvalCommand& command, const RunConfig& config, const Checkpoint& checkpoint);

}  // namespace rlt
