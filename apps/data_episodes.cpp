#include <fmt/format.h>

#include "base/error.hpp"
#include "data.hpp"
#include "io/file.hpp"
#include "io/standard_streams.hpp"
#include "tasks/behaviour.hpp"
#include "tasks/trajectories_csv.hpp"
#include "train/data_identity.hpp"

namespace rlt {

Exit record_episodes(const DataCommand& command) {
  const RunConfig& config = command.config;
  refuse_flags(command.given,
               {"bin", "lengths", "write", "write-npy", "eval-sequences", "eval-seed"},
               config.task + " is an environment: --policy, --sequences, --seed, --write-csv");
  if (!command.write_csv.empty()) require_new("write-csv", command.write_csv);
  const std::unique_ptr<Environment> environment =
      make_environment(config.task, parse_options("task-option", config.task_options));
  const std::vector<Trajectory> recorded =
      record(*environment, command.policy, command.sequences, config.seed);
  const std::string csv = trajectories_csv(recorded, environment->info());
  if (command.write_csv.empty()) {
    fmt::print("{}", csv);
  } else {
    write_file(command.write_csv, csv);
  }
  const DataIdentity identity = identity_of(recorded);
  print_message("{}{} episodes of {} in {}: return {:.3f}, best {:.3f}; data {}",
                command.write_csv.empty() ? "" : command.write_csv + ": ", recorded.size(),
                command.policy, config.task, identity.returns->mean, identity.returns->best,
                identity.hashes.at("train"));
  return Exit::done;
}

}  // namespace rlt
