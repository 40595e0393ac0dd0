#include <fmt/format.h>

#include <memory>

#include "base/error.hpp"
#include "commands.hpp"
#include "io/file.hpp"
#include "io/standard_streams.hpp"
#include "setting_flags.hpp"
#include "train/data_identity.hpp"
#include "train/stop.hpp"
#include "train/trainer.hpp"

namespace rlt {
namespace {

struct TrainCommand {
  RunConfig config;
  GivenFlags given;
  std::string out;  // empty: runs/TASK_RULE/CELL/seed-N
  bool resume = false;
  bool force = false;
  bool quiet = false;
  bool print_config = false;
  double time_limit = 0;  // seconds; 0: none
  double require = 0;
  std::string command_line;
};

/// What the latest checkpoint of the run in the folder says; nothing when there is none, or one of another task.
Facts recorded_facts(const RunFolder& folder, const RunConfig& config) {
  const RunFolder::State state = folder.state();
  if (state != RunFolder::State::finished && state != RunFolder::State::interrupted) return {};
  if (!file_exists(folder.last())) return {};
  Facts facts = checkpoint_facts(folder.last());
  return facts["task"] == config.task ? facts : Facts();
}

/// Error(failed) when the run there has seen other data.
void require_same_data(const RunFolder& folder, const RunConfig& config, const DataIdentity& data) {
  const DataIdentity run = data_identity(recorded_facts(folder, config));
  if (run.hashes.empty()) return;  // drawn
  for (const std::string& change : changes(run, data)) {
    fail(Exit::failed, "{}: the {}; choose another --out, or --force to start over",
         folder.path().string(), change);
  }
}

[[noreturn]] void fail_missing(const std::filesystem::path& file) {
  fail(Exit::failed, "'{}' is missing: the run cannot go on; --force starts it over",
       file.string());
}

/// A finished run is not trained again; it ends as it ended.
Exit skip(const TrainCommand& command, const RunFolder& folder) {
  folder.require_own(folder.best());
  if (!file_exists(folder.eval_csv())) fail_missing(folder.eval_csv());
  const double accuracy = checkpoint_state(folder.best()).best_metric;
  const bool enough = accuracy >= command.require;
  print_message("{} is finished{}; --force starts it over", folder.path().string(),
                enough ? ""
                       : fmt::format(" with validation accuracy {:.4f}, below --require {}",
                                     accuracy, command.require));
  return enough ? Exit::done : Exit::no;
}

/// Whether the run of these settings goes on from its last checkpoint; else it begins.
bool goes_on(const TrainCommand& command, const RunFolder& folder) {
  const bool has_last = file_exists(folder.last());
  if (folder.state() == RunFolder::State::interrupted) {
    if (!command.resume) {
      fail(Exit::usage, "{} holds an interrupted run: --resume goes on, --force starts over",
           folder.path().string());
    }
    if (!has_last) fail_missing(folder.last());
    if (!folder.has_meta()) {
      print_message("'{}' is missing or cut; it is written anew", folder.meta().string());
    }
    return true;
  }
  // What was left behind without its settings is replaced, but not by who asks to go on with it.
  if (folder.state() == RunFolder::State::absent && command.resume && has_last) {
    fail_missing(folder.config());
  }
  return false;
}

void note_unused_sequences(const RunConfig& config, const Task& task) {
  const std::vector<Example>* const own = task.fixed_set("train");
  if (own == nullptr || !config.train_size || *config.train_size == std::ssize(*own)) return;
  print_message("rlt: note: --train-size {}: {} of the {} sequences of the training set are used",
                *config.train_size, training_size(config, task), own->size());
}

std::string default_folder(const RunConfig& config) {
  return fmt::format("runs/{}_{}/{}/seed-{}", config.task,
                     is_environment(config.task) ? config.learner : config.rule, config.cell,
                     config.seed);
}

Exit train_or_skip(const TrainCommand& command) {
  RunConfig config = command.config;
  refuse_inapplicable(command.given, config);
  const RunFolder folder(command.out.empty() ? default_folder(config) : command.out);
  const Facts recorded = command.force ? Facts() : recorded_facts(folder, config);
  const DataIdentity known = data_identity(recorded);
  // What to learn from: one of them.
  std::unique_ptr<Environment> environment;
  std::vector<Trajectory> episodes;
  std::unique_ptr<Task> task;
  if (is_environment(config.task)) {
    environment = complete_acting(config);
    episodes = recorded_episodes(config, environment->info());
  } else {
    task = complete(config, known.symbols);
  }
  // The same data may lie elsewhere now.
  if (!known.hashes.empty() && !config.data.empty()) config.data = recorded.at("data");
  const FolderLock lock = folder.lock();
  folder.require_own();
  bool resume = false;
  if (!command.force) {
    const RunFolder::State state = folder.state();
    if (state == RunFolder::State::finished || state == RunFolder::State::interrupted) {
      folder.require_same(config);
      require_same_data(folder, config, task ? identity_of(*task) : identity_of(episodes));
    }
    if (state == RunFolder::State::finished) return skip(command, folder);
    resume = goes_on(command, folder);
  }
  note_idle(command.given, config);
  const TrainOptions options{.resume = resume,
                             .quiet = command.quiet,
                             .require = command.require,
                             .command_line = command.command_line};
  if (environment) return train(config, *environment, folder, options, episodes);
  note_unused_sequences(config, *task);
  return train(config, *task, folder, options);
}

Exit run(const TrainCommand& command) {
  const StopRequests stops(command.time_limit);
  try {
    return train_or_skip(command);
  } catch (const Stopped& stop) {  // while own data are read
    return stop.exit;
  }
}

Exit print_config(const TrainCommand& command) {
  RunConfig config = command.config;
  refuse_inapplicable(command.given, config);
  if (is_environment(config.task)) {
    complete_acting(config);
  } else {
    complete(config);
  }
  note_idle(command.given, config);
  fmt::print("{}", config_text(config));
  return Exit::done;
}

Action declare_train(const Flags& flags) {
  const auto command = std::make_shared<TrainCommand>();
  const auto settings = std::make_shared<SettingFlags>(flags, command->config);
  flags.footer(
      "Example: rlt train --task reset_dyck1 --cell deltanet --protocol paper --seed 3 --out "
      "runs/a\n"
      "In an environment, as --task tmaze, what you do not choose is as published for the learner "
      "and the cell; --print-config shows it.\n"
      "Exit codes: 0 done, 1 failed, 2 usage, 3 diverged, 4 below --require, 75 stopped and "
      "resumable,\n"
      "130 interrupted and resumable.");
  flags
      .text("out", command->out, "FOLDER",
            "run folder [runs/TASK_RULE/CELL/seed-N; in environments runs/TASK_LEARNER/...]")
      .group("Run");
  flags.toggle("resume", command->resume, "go on with an interrupted run").group("Run");
  flags.toggle("force", command->force, "start over, replacing the run in --out")
      .excludes("--resume")
      .group("Run");
  flags
      .value("time-limit", "TIME", "stop with a checkpoint after 90s, 15m, 3h50m",
             [command](const std::string& text) {
               command->time_limit = parse_duration("time-limit", text);
             })
      .group("Run");
  flags
      .number<double>("require", command->require, 0, 1,
                      "exit 4 when validation accuracy ends below this")
      .group("Run");
  flags.toggle("quiet", command->quiet, "no progress").group("Run");
  flags.toggle("print-config", command->print_config, "print the resolved settings and stop")
      .group("Run");
  command->command_line = flags.line();
  return [command, settings] {
    command->given = settings->complete();
    return command->print_config ? print_config(*command) : run(*command);
  };
}

}  // namespace

const Command train_command = {"train", "train a cell on a task", declare_train};

}  // namespace rlt
