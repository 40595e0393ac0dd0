#include <fmt/format.h>

#include "base/error.hpp"
#include "commands.hpp"
#include "io/file.hpp"
#include "io/standard_streams.hpp"
#include "train/trainer.hpp"

namespace rlt {

Exit run_train(const TrainCommand& command) {
  const RunConfig config = complete(command.config);
  const std::string out = command.out.empty() ? fmt::format("runs/{}_{}/{}/seed-{}", config.task,
                                                            config.rule, config.cell, config.seed)
                                              : command.out;
  const RunFolder folder(out);
  if (command.force) folder.clear();
  bool resume = false;
  switch (folder.state()) {
    case RunFolder::State::finished:
      folder.require_same(config);
      print_message("{} is finished; --force starts it over", out);
      return Exit::done;
    case RunFolder::State::interrupted:
      folder.require_same(config);
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
  return train(config, folder,
               {.resume = resume,
                .quiet = command.quiet,
                .time_limit = command.time_limit,
                .require = command.require,
                .command_line = command.command_line});
}

}  // namespace rlt
