// Checkpoints: everything that a run needs to go on bit for bit, as one safetensors file.
//   model.NAME               each parameter, in its shape
//   carried.NAME             what else the next update goes on from: "state" (rows, state_size), recurrent
//                            state behind the last segment of documents or the last rollout; "journal", the
//                            episodes under way
//   optimizer.MOMENT.NAME    the optimiser's memory of it; absent in files of weights only
//   metadata                 format "rlt", version, step, state (JSON, below), xxh3 (the checksum of all bytes,
//                            safetensors.hpp), and the caller's facts
// Version 1 had neither checksum nor `validation_due`; it is still read.
#pragma once

#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "base/index.hpp"
#include "losses/score.hpp"
#include "nn/parameter.hpp"
#include "optim/optimizer.hpp"
#include "tensor/matrix.hpp"
#include "train/episodes.hpp"

namespace rlt {

/// Where a run stands. Random numbers need no entry: they are functions of seed and step.
struct TrainingState {
  Index step = 0;       // updates done
  Index sequences = 0;  // trained on so far
  Index tokens = 0;
  double wall_seconds = 0;  // over all parts of the run
  double best_metric = -std::numeric_limits<double>::infinity();
  double best_loss = std::numeric_limits<double>::infinity();  // breaks ties of best_metric
  Index best_step = 0;
  Index evaluations_without_gain = 0;  // for early stopping
  Index solved_in_a_row = 0;    // latest evaluations in which every validation string was right
  bool validation_due = false;  // stopped between this step and its evaluation
  double last_loss = 0;
  double gradient_norm = 0;  // of the latest step
  Score interval;            // summed since the latest row of train.csv
  Episodes episodes;         // ended since the latest row of train.csv
  Episodes unvalidated;      // ended since the latest validation
};

/// A matrix that the next update goes on from.
template <typename T>
struct Carried {
  std::string name;
  Matrix<T> values;
};

using Facts = std::map<std::string, std::string>;

/// Replaces the file as `write_file` does. `optimizer` null: weights only. `facts` say what the model
/// is (cell, sizes, vocabulary, task); their keys must differ from those above. Error(diverged) when a number is not finite: a good checkpoint is never
/// replaced by one that no one could load. Error(failed) when the file cannot be written.
template <typename T>
void save_checkpoint(const std::filesystem::path& path, const ParameterSet<T>& parameters,
                     Optimizer<T>* optimizer, const TrainingState& state, const Facts& facts,
                     const std::vector<Carried<T>>& carried = {});

/// Fills allocated `parameters`, `state` and, where given, `optimizer` and `carried`; where these are not,
/// what the file holds for them is ignored. Error(failed), and nothing is changed, when the file is no
/// checkpoint of this program, damaged (its checksum differs), its training state is impossible, or any tensor
/// is missing, unexpected, of another shape or dtype, or holds nan or infinity: one line saying which file,
/// what was found, what was expected.
template <typename T>
void load_checkpoint(const std::filesystem::path& path, ParameterSet<T>& parameters,
                     Optimizer<T>* optimizer, TrainingState& state,
                     const std::vector<Carried<T>>& carried = {});

/// The caller's facts in a checkpoint, and where its run stood. Error(failed) when the file is none or damaged, or
/// that state is impossible.
Facts checkpoint_facts(const std::filesystem::path& path);
TrainingState checkpoint_state(const std::filesystem::path& path);

}  // namespace rlt
