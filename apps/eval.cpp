#include "eval.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <system_error>

#include "base/error.hpp"
#include "io/file.hpp"
#include "io/standard_streams.hpp"
#include "train/checkpoint.hpp"
#include "train/data_identity.hpp"
#include "train/dataset.hpp"
#include "train/evaluation.hpp"
#include "train/likelihood.hpp"
#include "train/run_folder.hpp"

namespace rlt {
namespace {

namespace fs = std::filesystem;

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

/// The task of the run, with --task-option in place of some of its options, also in `config`. Error(usage) when it
/// has other symbols then.
std::unique_ptr<Task> changed_task(const EvalCommand& command, const Task& trained,
                                   RunConfig& config) {
  OptionValues options = parse_options("task-option", config.task_options);
  for (const auto& [name, value] : parse_options("task-option", command.task_options)) {
    options[name] = value;
  }
  config.task_options.clear();
  for (const auto& [name, value] : options)
    config.task_options.push_back(fmt::format("{}={}", name, value));
  std::unique_ptr<Task> task = make_task(config);
  if (task->info().inputs != trained.info().inputs ||
      task->info().outputs != trained.info().outputs) {
    fail(Exit::usage, "--task-option {}: the model was trained on other symbols",
         fmt::join(command.task_options, " "));
  }
  return task;
}

template <std::floating_point T>
void evaluate_all(const EvalCommand& command, const Asked& asked, const RunConfig& config,
                  const Task& task, const Checkpoint& checkpoint) {
  SequenceModel<T> model(model_config(config, task.info()));
  TrainingState state;
  load_checkpoint<T>(checkpoint.path, model.parameters(), nullptr, state);
  std::vector<EvaluationSet> given;
  std::vector<std::string> splits = {"valid", "test"};
  splits.insert(splits.end(), task.info().parts.begin(), task.info().parts.end());
  for (const std::string& split : splits) {
    if (task.fixed_set(split) != nullptr) given.push_back(fixed_set(config, task, split));
  }
  Extent capacity{command.batch, command.piece};
  for (const EvaluationSet& set : given) {
    if (set.asks_last) capacity.steps = std::max(capacity.steps, set.longest());
  }
  model.carve(capacity, "--batch or --piece");
  const std::unique_ptr<Loss<T>> loss = make_loss<T>(task.info());
  if (command.horizon) {
    const Trained<T> trained{model, *loss, capacity, config, state.step, checkpoint.select};
    return eval_horizon(command, task, trained);
  }

  // A bin that cannot be is an error before the file exists.
  for (const Index bin : asked.bins) bin_window(task.info(), bin);
  CsvFile csv = open_csv(command.csv, evaluation_header(task.info()));
  const auto measure = [&](const EvaluationSet& set) {
    ByPosition by_position{.first = command.piece};
    const Measured row{.config = config,
                       .set = set,
                       .score = evaluate(model, *loss, capacity, set, largest_state,
                                         command.positions ? &by_position : nullptr),
                       .parameters = model.parameters().count(),
                       .state_size = model.state_size(set.longest()),
                       .step = state.step,
                       .select = checkpoint.select};
    for (const auto& cells : evaluation_rows(task, row)) csv.append(cells);
    if (command.positions) {
      for (const auto& cells : position_rows(row, by_position)) csv.append(cells);
    }
    csv.flush();
    print_message("{} {}-{}: {}, data {}", set.split, set.length_min, set.length_max,
                  score_text(task.info(), row.score), set.hash);
  };
  if (task.fixed_set("train") != nullptr) {
    for (const EvaluationSet& set : given) measure(set);
    return;
  }
  std::set<Index> measured;
  for (const Index length : asked.lengths) {
    // Where the language has no string of this length, the next length below stands for it, once.
    const Index possible = task.possible_length(length);
    if (possible > 0 && !measured.insert(possible).second) continue;
    measure(length_set(task, length, command.sequences, command.eval_seed));
  }
  for (const Index bin : asked.bins) {
    measure(bin_set(config, task, bin, command.sequences, command.eval_seed));
  }
}

Exit run(const EvalCommand& command) {
  if (!command.select.empty() && command.select != "best" && command.select != "last") {
    fail(Exit::usage, "--select {}: must be best or last", command.select);
  }
  if (!command.horizon) refuse_flags(command.given, {"max-length"}, "it bounds --horizon");
  const std::optional<FolderLock> use =
      share_run_of(command.horizon && command.csv.empty() ? RunFolder(command.run).horizon_csv()
                                                          : fs::path(command.csv));
  const Checkpoint checkpoint = chosen_checkpoint(command);
  const Facts facts = checkpoint_facts(checkpoint.path);
  RunConfig config = checkpoint_config(checkpoint.path);
  if (is_environment(config.task)) {
    refuse_flags(command.given, {"horizon", "positions", "task-option"},
                 config.task + " is an environment");
    eval_play(command, config, checkpoint);
    return Exit::done;
  }
  refuse_flags(command.given, {"greedy", "show", "target-return"},
               config.task + " is no environment to act in");
  if (config.data.empty()) {
    refuse_flags(command.given, {"data"}, "the run of " + config.task + " made its own strings");
  }
  std::unique_ptr<Task> task = task_of(command, config, facts);
  if (!task->info().documents) {
    refuse_flags(command.given, {"positions"}, config.task + " has no documents");
  }
  if (!task->info().is_drawn()) {
    refuse_flags(command.given,
                 {"bins", "lengths", "sequences", "eval-seed", "horizon", "task-option"},
                 "the sets of " + config.task + " are as they are");
  }
  if (!command.task_options.empty()) task = changed_task(command, *task, config);
  const Asked asked = asked_by(command);
  if (config.precision == "double") {
    evaluate_all<double>(command, asked, config, *task, checkpoint);
  } else {
    evaluate_all<float>(command, asked, config, *task, checkpoint);
  }
  return Exit::done;
}

Action declare_eval(const Flags& flags) {
  const auto command = std::make_shared<EvalCommand>();
  flags.required_argument("run", command->run, "RUN", "run folder or checkpoint");
  flags.text("bins", command->bins, "LIST", "bins, such as 0,1,2 [0,1,2]");
  flags.text("lengths", command->lengths, "LIST",
             "exact lengths, such as 50,100-500:50 or 16-4096*2; of tmaze, its corridors");
  flags.number<Index>("sequences", command->sequences, 1, most_sequences,
                      "distinct sequences of each set, or episodes");
  flags.toggle("positions", command->positions,
               "of documents: also rows by position, of the first --piece tokens and as often as "
               "they have doubled");
  flags
      .toggle("horizon", command->horizon,
              "search the longest strings of which 99 % are entirely right: 20 of a length, or "
              "--sequences; into horizon.csv of the run")
      .excludes("--bins")
      .excludes("--lengths");
  flags.number<Index>("max-length", command->max_length, 1, max_length,
                      "where --horizon ends, in symbols or the task's unit");
  flags.list("task-option", command->task_options,
             "draw strings with other options of the task than in training");
  flags.toggle("greedy", command->greedy,
               "in an environment: the most likely action, not one drawn from the policy");
  flags
      .number<double>("target-return", command->target_return, -1e9, 1e9,
                      "of return_conditioned: the return to act for")
      .shows("the best in its data");
  flags.text("select", command->select, "", "checkpoint of a run folder: best or last [best]");
  flags.number<std::uint64_t>("eval-seed", command->eval_seed, 0, UINT64_MAX,
                              "seed of the evaluation sets");
  flags.number<Index>("batch", command->batch, 1, largest_batch, "sequences read at once");
  flags.number<Index>("piece", command->piece, 1, max_length,
                      "tokens read at once, state carried between");
  flags.text("csv", command->csv, "FILE",
             "file to append to; - for stdout [-; of --horizon: RUN/horizon.csv, begun anew]");
  flags.toggle("show", command->show, "in an environment: one episode, step by step")
      .excludes("--sequences")
      .excludes("--batch")
      .excludes("--csv");
  flags.text("data", command->data, "PATH", "where the run's own data lie now");
  return [command, flags] {
    command->given = flags.given();
    return run(*command);
  };
}

}  // namespace

const Command eval_command = {"eval", "measure a trained run on bins, exact lengths or episodes",
                              declare_eval};

}  // namespace rlt
