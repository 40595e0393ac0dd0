#include <fmt/format.h>

#include <filesystem>
#include <set>

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

std::filesystem::path checkpoint_of(const EvalCommand& command) {
  std::filesystem::path path(command.run);
  if (!is_folder(path)) return path;
  const RunFolder folder(path);
  return command.select == "last" ? folder.last() : folder.best();
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
                  const std::filesystem::path& checkpoint) {
  const std::unique_ptr<Task> task = make_task(config);
  SequenceModel<T> model(model_config(config, task->info()));
  TrainingState state;
  load_checkpoint<T>(checkpoint, model.parameters(), nullptr, state);
  const Extent capacity{command.batch, command.piece};
  model.carve(capacity, "--batch or --piece");

  // A bin that cannot be is an error before the file exists.
  for (const Index bin : asked.bins) bin_window(task->info(), bin);
  CsvFile csv = open_csv(command.csv, eval_columns());
  const auto measure = [&](const EvaluationSet& set) {
    const Score score = evaluate(model, capacity, set);
    csv.append(eval_row(config, set, score, model.parameters().count(),
                        model.state_size(set.longest()), state.step, command.select));
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
  if (command.select != "best" && command.select != "last") {
    fail(Exit::usage, "--select {}: must be best or last", command.select);
  }
  const Asked asked = asked_by(command);
  const std::filesystem::path checkpoint = checkpoint_of(command);
  const RunConfig config = from_facts(checkpoint_facts(checkpoint));
  if (config.precision == "double") {
    evaluate_all<double>(command, asked, config, checkpoint);
  } else {
    evaluate_all<float>(command, asked, config, checkpoint);
  }
  return Exit::done;
}

}  // namespace rlt
