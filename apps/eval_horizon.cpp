#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/size.hpp"
#include "eval.hpp"
#include "io/file.hpp"
#include "io/standard_streams.hpp"
#include "train/horizon_csv.hpp"
#include "train/run_folder.hpp"

namespace rlt {
namespace {

constexpr Index default_sequences = 20;

/// Of the task's unit, as far as exact lengths are counted in it.
Index longest_in_training(const RunConfig& config, const Task& task) {
  const TaskInfo& info = task.info();
  const Index high = training_window(config, task).high;
  // A window of n (counter languages) has strings of up to n unit_symbols.
  const bool other_unit = !info.exact_in_units && info.length_unit != "symbols";
  return other_unit ? high * info.unit_symbols : high;
}

/// `wanted`, or as far as the state of one sequence fits: attention keeps every token.
template <std::floating_point T>
Index longest_kept(const SequenceModel<T>& model, const TaskInfo& info, Index wanted) {
  const Index symbols = info.exact_in_units ? info.unit_symbols : 1;
  const auto is_kept = [&](Index length) {
    return bytes_of(sizeof(T), model.state_size(length * symbols)) <= largest_state;
  };
  if (is_kept(wanted)) return wanted;
  Index kept = 1, too_long = wanted;
  while (too_long - kept > 1) {
    const Index middle = kept + (too_long - kept) / 2;
    (is_kept(middle) ? kept : too_long) = middle;
  }
  print_message(
      "rlt: note: {} keeps every token, and {} MiB hold those of {} {}: no longer are read",
      model.config().layers.front().cell, largest_state >> 20, kept,
      info.exact_in_units ? info.length_unit : "symbols");
  return kept;
}

/// The rows go to horizon.csv of the run, for want of --csv.
bool is_own_file(const EvalCommand& command) {
  return command.csv.empty() && is_folder(command.run);
}

/// A second search takes the place of the first in the run's own file.
CsvFile open_horizon(const EvalCommand& command) {
  if (!is_own_file(command)) return open_csv(command.csv, horizon_header());
  return CsvFile::open(RunFolder(command.run).horizon_csv(), horizon_header(),
                       [](Index) { return false; });
}

std::string text(const Horizon& horizon, const Searched& run) {
  const std::string end =
      horizon.upper ? fmt::format("wrong at {}", *horizon.upper) : "the end of the search";
  return fmt::format("horizon {} {} ({}; trained up to {})", horizon.lower, run.unit, end,
                     run.train_length);
}

}  // namespace

template <std::floating_point T>
void eval_horizon(const EvalCommand& command, const Task& task, const Trained<T>& trained) {
  const TaskInfo& info = task.info();
  Searched run{.config = trained.config,
               .parameters = trained.model.parameters().count(),
               .step = trained.step,
               .select = trained.select,
               .unit = info.exact_in_units ? info.length_unit : "symbols",
               .train_length = longest_in_training(trained.config, task)};
  run.max_length = longest_kept(trained.model, info, command.max_length);
  const Index first = std::min(run.train_length, run.max_length);
  if (task.possible_length(first) == 0) {
    fail(Exit::usage, "--max-length {}: {} has no string that short", command.max_length,
         info.name);
  }
  const bool chosen = std::ranges::find(command.given, "sequences") != command.given.end();
  const Index sequences = chosen ? command.sequences : default_sequences;

  CsvFile csv = open_horizon(command);
  std::vector<HorizonRow> positions;  // of the longest strings read so far
  const auto is_right = [&](Index length) {
    const EvaluationSet set = length_set(task, length, sequences, command.eval_seed);
    ByPosition by_position;
    const Score score =
        evaluate(trained.model, trained.loss, trained.capacity, set, largest_state, &by_position);
    csv.append(horizon_cells({.run = run,
                              .kind = "length",
                              .low = length,
                              .high = length,
                              .length_max = set.length_max,
                              .sequences_correct = score.sequences_correct,
                              .sequences = score.sequences,
                              .labels = {score.tokens, score.tokens_correct},
                              .hash = set.hash}));
    csv.flush();
    print_message("length {}: {} of {} sequences, {} of {} tokens, data {}", length,
                  score.sequences_correct, score.sequences, score.tokens_correct, score.tokens,
                  set.hash);
    if (positions.empty() || set.length_max > positions.front().length_max) {
      positions = position_rows(run, set, by_position);
    }
    return carries(score);
  };
  const Horizon horizon = find_horizon(
      {first, run.max_length, [&](Index length) { return task.possible_length(length); }},
      is_right);
  for (const HorizonRow& row : positions) csv.append(horizon_cells(row));
  csv.append(
      horizon_cells({.run = run, .kind = "horizon", .low = horizon.lower, .high = horizon.upper}));
  csv.flush();
  const bool is_csv_on_stdout =
      !is_own_file(command) && (command.csv.empty() || command.csv == "-");
  if (!is_csv_on_stdout) fmt::print("{}\n", text(horizon, run));
}

template void eval_horizon<float>(const EvalCommand&, const Task&, const Trained<float>&);
template void eval_horizon<double>(const EvalCommand&, const Task&, const Trained<double>&);

}  // namespace rlt
