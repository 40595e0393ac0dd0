#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <set>
#include <system_error>

#include "base/error.hpp"
#include "commands.hpp"
#include "io/file.hpp"
#include "io/standard_streams.hpp"
#include "train/checkpoint.hpp"
#include "train/dataset.hpp"
#include "train/evaluator.hpp"
#include "train/run_folder.hpp"

namespace rlt {
namespace {

/// A file to measure, and what the column `select` says of it.
struct Checkpoint {
  std::filesystem::path path;
  std::string select;
};

/// One of a run folder, which must belong there, or a file by itself.
Checkpoint chosen_checkpoint(const EvalCommand& command) {
  const std::filesystem::path path(command.run);
  if (is_folder(path)) {
    const RunFolder folder(path);
    const bool last = command.select == "last";
    const std::filesystem::path file = last ? folder.last() : folder.best();
    folder.require_own(file);
    return {file, last ? "last" : "best"};
  }
  if (!command.select.empty()) {
    fail(Exit::usage, "--select {}: '{}' is one file, not a run with two to choose from",
         command.select, command.run);
  }
  const RunFolder beside(path.parent_path());
  const std::string name = path.filename().string();
  return {path, path == beside.last() ? "last" : path == beside.best() ? "best" : name};
}

/// What --lengths and --bins ask for.
struct Asked {
  std::vector<Index> lengths, bins;
};

Asked asked_by(const EvalCommand& command) {
  Asked asked;
  if (!command.lengths.empty()) {
    asked.lengths = parse_list("lengths", command.lengths, 1, max_length);
  }
  if (!command.bins.empty()) asked.bins = parse_list("bins", command.bins, 0, max_length);
  if (asked.lengths.empty() && asked.bins.empty()) asked.bins = {0, 1, 2};
  return asked;
}

template <std::floating_point T>
void evaluate_all(const EvalCommand& command, const Asked& asked, const RunConfig& config,
                  const Checkpoint& checkpoint) {
  const std::unique_ptr<Task> task = make_task(config);
  SequenceModel<T> model(model_config(config, task->info()));
  TrainingState state;
  load_checkpoint<T>(checkpoint.path, model.parameters(), nullptr, state);
  const Extent capacity{command.batch, command.piece};
  model.carve(capacity, "--batch or --piece");

  for (const Index bin : asked.bins)
    bin_window(task->info(), bin);  // an error comes before the file
  CsvFile csv = open_csv(command.csv, eval_columns());
  const auto measure = [&](const EvaluationSet& set) {
    const Score score = evaluate(model, capacity, set);
    csv.append(eval_row(config, set, score, model.parameters().count(),
                        model.state_size(set.longest()), state.step, checkpoint.select));
    csv.flush();
    print_message("{} {}-{}: {} of {} sequences, {} of {} tokens, data {}", set.split,
                  set.length_min, set.length_max, score.sequences_correct, score.sequences,
                  score.tokens_correct, score.tokens, set.hash);
  };
  if (task->fixed_set("train") != nullptr) {
    for (const char* split : {"valid", "test"}) {
      if (task->fixed_set(split) != nullptr) measure(fixed_set(config, *task, split));
    }
    return;
  }
  std::set<Index> measured;
  for (const Index length : asked.lengths) {
    // A language may have no string of this very length: the longest below stands for it, once.
    const Index possible = task->possible_length(length);
    if (possible > 0 && !measured.insert(possible).second) continue;
    measure(length_set(*task, length, command.sequences, command.eval_seed));
  }
  for (const Index bin : asked.bins) {
    measure(bin_set(config, *task, bin, command.sequences, command.eval_seed));
  }
}

}  // namespace

Exit run_eval(const EvalCommand& command) {
  if (!command.select.empty() && command.select != "best" && command.select != "last") {
    fail(Exit::usage, "--select {}: must be best or last", command.select);
  }
  const Asked asked = asked_by(command);
  const std::optional<FolderLock> use = share_run_of(command.csv);
  const Checkpoint checkpoint = chosen_checkpoint(command);
  const RunConfig config = checkpoint_config(checkpoint.path);
  if (config.precision == "double") {
    evaluate_all<double>(command, asked, config, checkpoint);
  } else {
    evaluate_all<float>(command, asked, config, checkpoint);
  }
  return Exit::done;
}

}  // namespace rlt
