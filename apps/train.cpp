#include <fmt/format.h>

#include "base/error.hpp"
#include "commands.hpp"
#include "io/file.hpp"
#include "io/standard_streams.hpp"
#include "train/data_identity.hpp"
#include "train/trainer.hpp"

namespace rlt {
namespace {

/// What the latest checkpoint of the folder says; nothing when there is none, or one of another task.
Facts recorded_facts(const RunFolder& folder, const RunConfig& config) {
  if (!file_exists(folder.last())) return {};
  Facts facts = checkpoint_facts(folder.last());
  return facts["task"] == config.task ? facts : Facts();
}

/// Error(failed) when the run there has seen other data.
void require_same_data(const RunFolder& folder, const DataIdentity& run, const Task& task) {
  if (run.hashes.empty()) return;  // drawn
  for (const std::string& change : changes(run, identity_of(task))) {
    fail(Exit::failed, "{}: the {}; choose another --out, or --force to start over",
         folder.path().string(), change);
  }
}

void note_unused_sequences(const RunConfig& config, const Task& task) {
  const std::vector<Example>* const own = task.fixed_set("train");
  if (own == nullptr || !config.train_size || *config.train_size == std::ssize(*own)) return;
  print_message("rlt: note: --train-size {}: {} of the {} sequences of the training set are used",
                *config.train_size, training_size(config, task), own->size());
}

}  // namespace

Exit run_train(const TrainCommand& command) {
  RunConfig config = command.config;
  refuse_inapplicable(command.given, config);
  const std::string out = command.out.empty() ? fmt::format("runs/{}_{}/{}/seed-{}", config.task,
                                                            config.rule, config.cell, config.seed)
                                              : command.out;
  const RunFolder folder(out);
  const Facts recorded = command.force ? Facts() : recorded_facts(folder, config);
  const DataIdentity known = data_identity(recorded);
  const std::unique_ptr<Task> task = complete(config, known.symbols);
  // The same data may lie elsewhere now.
  if (!known.hashes.empty()) config.data = recorded.at("data");
  if (command.force) folder.clear();
  bool resume = false;
  switch (folder.state()) {
    case RunFolder::State::finished:
      folder.require_same(config);
      require_same_data(folder, known, *task);
      print_message("{} is finished; --force starts it over", out);
      return Exit::done;
    case RunFolder::State::interrupted:
      folder.require_same(config);
      require_same_data(folder, known, *task);
      if (!command.resume) {
        fail(Exit::usage, "{} holds an interrupted run: --resume goes on, --force starts over",
             out);
      }
      resume = file_exists(folder.last());
      break;
    case RunFolder::State::absent:
      folder.begin(config);
      break;
  }
  note_idle(command.given, config);
  note_unused_sequences(config, *task);
  return train(config, *task, folder,
               {.resume = resume,
                .quiet = command.quiet,
                .time_limit = command.time_limit,
                .require = command.require,
                .command_line = command.command_line});
}

}  // namespace rlt
