// What the training loop (trainer.hpp) asks of a way to learn. The loop counts, logs, validates, selects, saves,
// resumes and stops; a learner makes updates and measures.
#pragma once

#include <concepts>
#include <string>
#include <vector>

#include "io/csv.hpp"
#include "model/sequence_model.hpp"
#include "optim/optimizer.hpp"
#include "train/checkpoint.hpp"
#include "train/eval_csv.hpp"

namespace rlt {

/// What the validation data say of the current weights.
struct Validation {
  double metric = 0;  // the larger the better; 1: everything is right
  double loss = 0;    // breaks ties: the smaller the better
  std::string line;   // for the reader: "bin0 93.00 %"
};

template <std::floating_point T>
class Learner {
 public:
  virtual ~Learner() = default;

  virtual SequenceModel<T>& model() = 0;
  virtual Optimizer<T>& optimizer() = 0;
  /// What the next update goes on from besides, a part of checkpoints.
  virtual std::vector<Carried<T>> carried() = 0;
  /// What is carried, and all else, was just read from a checkpoint.
  virtual void resume() {}

  virtual Index total_steps() const = 0;
  virtual Index steps_between_validations() const = 0;
  virtual double learning_rate(Index step) const = 0;

  /// Gets the data of an update, counted from 1. Throws Stopped and has changed nothing when a stop was requested.
  virtual void prepare(Index step) = 0;
  /// Makes update `state.step`, which was prepared, and counts what it read. Error(diverged).
  virtual void update(TrainingState& state) = 0;
  /// Throws Stopped and has changed nothing when a stop was requested.
  virtual Validation validate(TrainingState& state) = 0;
  /// Whether training ends early when validations say that all is learned, or no more is.
  virtual bool stops_early() const { return true; }

  /// The columns of eval.csv, and its rows for weights that were selected at `step`.
  virtual std::vector<std::string> evaluation_header() const { return eval_header(); }
  virtual std::vector<std::vector<CsvCell>> evaluate_selected(Index step) = 0;
};

}  // namespace rlt
