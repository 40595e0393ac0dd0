// Everything that decides the result of a training run, and what it stands for. Its names and texts: settings.hpp.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/model_config.hpp"
#include "optim/optimizer.hpp"
#include "tasks/environment.hpp"
#include "tasks/task.hpp"
#include "tasks/trajectory.hpp"

namespace rlt {

inline constexpr Index largest_batch = 1'000'000;
inline constexpr Index most_sequences = 10'000'000;  // of an evaluation set

struct RunConfig {
  std::string task = "parity";
  std::string rule = "paper";
  std::string data;
  std::vector<std::string> task_options;
  std::string window;               // "2-50"; empty: the task's own
  std::optional<Index> train_size;  // 0: fresh samples; none: 10000, or all of own data
  Index bucket = 1;
  Index segment = 0;  // 0: 256 for documents, the longest episode up to 256 for recorded ones
  std::string learner = "supervised";
  std::string cell = "lstm";
  Index d_model = 64;
  Index layers = 0;  // 0: the cell's own
  Index heads = 4;
  Index ff = 4;
  double dropout = 0;
  std::string positions = "none";
  std::vector<std::string> cell_options;
  std::string real_input = "own";  // own: the cell's
  Index hidden = 128;
  std::string norm = "own";  // own: the cell's
  std::string tied_embeddings = "off";
  std::string output_scale = "none";
  Index batch = 32;
  Index epochs = 300;
  Index steps = 0;  // 0: as many as the epochs have
  std::string optimizer = "adam";
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.995;
  double epsilon = 1e-9;
  double weight_decay = 0;
  double momentum = 0;
  std::string schedule = "constant";
  Index warmup = 0;
  double clip = 0;
  Index env_steps = 5'000'000;
  Index rollout = 256;
  double gamma = 0.99;
  double lambda = 0.95;
  double entropy = 1e-3;
  double value_coefficient = 0.5;
  double ratio_clip = 0.2;
  Index passes = 3;
  Index minibatches = 8;
  std::string protocol = "honest";
  Index eval_every = 0;  // 0: once per epoch
  Index eval_sequences = 2000;
  std::uint64_t eval_seed = 1;
  Index patience = 20;
  Index log_every = 50;
  std::uint64_t seed = 1;
  std::string precision = "float";
};

/// Whether the learner acts in an environment, in rollouts.
bool acts(std::string_view learner);
bool is_environment(std::string_view task);
/// The published settings of the learner that the task asks for (a2c where none is chosen) and of the cell, where
/// they differ from those of strings: name to text. They stand for what the user did not choose.
std::map<std::string, std::string> learner_defaults(const RunConfig& config);

/// Error(usage), one clear line, for whatever is out of range; resolves in place the defaults that depend on
/// cell and task (layers, window) and the path of the data, which is found again from anywhere. Returns the
/// task: its data are read once, here. `symbols`: those of the run to go on with.
std::unique_ptr<Task> complete(RunConfig& config, const Symbols& symbols = {});

/// The same for a run whose task is an environment.
std::unique_ptr<Environment> complete_acting(RunConfig& config);
/// Updates until the environments have made --env-steps, the last one whole.
Index acting_updates(const RunConfig& config);
/// The recorded episodes that the learner learns from, read once, here; none for those that read none.
std::vector<Trajectory> recorded_episodes(const RunConfig& config, const EnvironmentInfo& info);

TaskOptions task_options(const RunConfig& config, const Symbols& symbols = {});
std::unique_ptr<Task> make_task(const RunConfig& config, const Symbols& symbols = {});
Window training_window(const RunConfig& config, const Task& task);
/// Sequences in the training set; 0: fresh samples.
Index training_size(const RunConfig& config, const Task& task);
ModelConfig model_config(const RunConfig& config, const TaskInfo& task);
/// `environment` as it is, also where the policy is return-conditioned. A head "actor" for the actions, and where the learner acts "critic" for the value.
ModelConfig model_config(const RunConfig& config, const EnvironmentInfo& environment);
OptimizerConfig optimizer_config(const RunConfig& config);
/// What the user chose of cell and task beside the settings with a column of their own,
/// "beta_max=2;positions=rotary"; for CSV.
std::string option_summary(const RunConfig& config);

}  // namespace rlt
