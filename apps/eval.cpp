#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/error.hpp"
#include "commands.hpp"
#include "io/file.hpp"
#include "io/standard_streams.hpp"
#include "train/checkpoint.hpp"
#include "train/data_identity.hpp"
#include "train/dataset.hpp"
#include "train/evaluator.hpp"
#include "train/run_folder.hpp"

namespace rlt {
namespace {

std::filesystem::path checkpoint_of(const EvalCommand& command) {
  std::filesystem::path path(command.run);
  if (!is_folder(path)) {
    refuse_flags(command.given, {"select"}, command.run + " is itself a checkpoint");
    return path;
  }
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

/// The task of the run, numbered by its symbols; a note names each set that is not the run's. Error(failed)
/// when none of them is, unless --data asks for it.
std::unique_ptr<Task> task_of(const EvalCommand& command, RunConfig config, const Facts& facts) {
  const DataIdentity run = data_identity(facts);
  if (config.data.empty()) return make_task(config);
  if (!command.data.empty()) config.data = command.data;
  if (!file_exists(config.data)) {
    fail(Exit::failed, "the data of the run are not at {}: --data PATH says where they are now",
         config.data);
  }
  std::unique_ptr<Task> task = make_task(config, run.symbols);
  if (run.hashes.empty()) {
    print_message(
        "rlt: note: the checkpoint does not say what its data were: no one can tell whether {} "
        "holds them",
        config.data);
    return task;
  }
  const DataIdentity now = identity_of(*task);
  const std::vector<std::string> changed = changes(run, now);
  const bool is_foreign = std::ranges::none_of(run.hashes, [&](const auto& set) {
    const auto found = now.hashes.find(set.first);
    return found != now.hashes.end() && found->second == set.second;
  });
  if (is_foreign && command.data.empty()) {
    fail(Exit::failed,
         "{}: no set is that of the run (the {}); --data {} evaluates it all the same", config.data,
         changed.front(), config.data);
  }
  for (const std::string& change : changed) {
    print_message("rlt: note: {}: the {}", config.data, change);
  }
  return task;
}

template <std::floating_point T>
void evaluate_all(const EvalCommand& command, const Asked& asked, const RunConfig& config,
                  const Task& task, const std::filesystem::path& checkpoint) {
  SequenceModel<T> model(model_config(config, task.info()));
  TrainingState state;
  load_checkpoint<T>(checkpoint, model.parameters(), nullptr, state);
  const Extent capacity{command.batch, command.piece};
  model.carve(capacity, "--batch or --piece");

  for (const Index bin : asked.bins)
    bin_window(task.info(), bin);  // an error comes before the file
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
  if (task.fixed_set("train") != nullptr) {
    for (const char* split : {"valid", "test"}) {
      if (task.fixed_set(split) != nullptr) measure(fixed_set(config, task, split));
    }
    return;
  }
  std::set<Index> measured;
  for (const Index length : asked.lengths) {
    // A language may have no string of this very length: the longest below stands for it, once.
    const Index possible = task.possible_length(length);
    if (possible > 0 && !measured.insert(possible).second) continue;
    measure(length_set(task, length, command.sequences, command.eval_seed));
  }
  for (const Index bin : asked.bins) {
    measure(bin_set(config, task, bin, command.sequences, command.eval_seed));
  }
}

}  // namespace

Exit run_eval(const EvalCommand& command) {
  if (command.select != "best" && command.select != "last") {
    fail(Exit::usage, "--select {}: must be best or last", command.select);
  }
  const std::filesystem::path checkpoint = checkpoint_of(command);
  const Facts facts = checkpoint_facts(checkpoint);
  const RunConfig config = from_facts(facts);
  if (config.data.empty()) {
    refuse_flags(command.given, {"data"}, config.task + " draws its strings and reads no data");
  } else {
    refuse_flags(command.given, {"bins", "lengths", "sequences", "eval-seed"},
                 "the sets of own data are as they are");
  }
  const Asked asked = asked_by(command);
  const std::unique_ptr<Task> task = task_of(command, config, facts);
  if (config.precision == "double") {
    evaluate_all<double>(command, asked, config, *task, checkpoint);
  } else {
    evaluate_all<float>(command, asked, config, *task, checkpoint);
  }
  return Exit::done;
}

}  // namespace rlt
