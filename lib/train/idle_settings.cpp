#include "train/idle_settings.hpp"

#include <algorithm>

#include "blocks/block.hpp"

namespace rlt {

std::vector<IdleSetting> idle_settings(const RunConfig& config) {
  std::vector<IdleSetting> idle;
  const auto add = [&](bool is_idle, const char* name, const std::string& reason) {
    if (is_idle) idle.push_back({name, reason});
  };
  const CellInfo& cell = cell_info(config.cell);
  const std::string optimizer = "--optimizer " + config.optimizer;
  const bool sgd = config.optimizer == "sgd";
  add(config.optimizer != "adamw", "weight-decay", optimizer + " has none, adamw has");
  add(!sgd, "momentum", optimizer + " has none, sgd has");
  add(sgd, "beta1", optimizer + " has none");
  for (const char* const name : {"beta2", "epsilon"}) {
    add(sgd || config.optimizer == "adafactor", name, optimizer + " has none");
  }
  add(config.steps > 0, "epochs", "--steps decides");
  add(acts(config.learner) && config.steps != acting_updates(config), "env-steps",
      "--steps decides");
  add(config.train_size == 0, "bucket", "--train-size 0 has no set to sort");
  add(!block_info(cell.block).has_norms, "norm", "layers of " + config.cell + " have none");
  const OptionValues chosen = parse_options("cell-option", config.cell_options);
  const OptionValues all = complete_options("cell-option", config.cell, cell.options, chosen);
  for (const Option& option : cell.options) {
    const auto is_needed = [&](const auto& other) {
      return other.first + "=" + other.second == option.only_with;
    };
    add(!option.only_with.empty() && chosen.contains(option.name) &&
            std::ranges::none_of(all, is_needed),
        "cell-option", option.name + " needs " + option.only_with);
  }
  return idle;
}

std::vector<IdleSetting> inapplicable_settings(const RunConfig& config) {
  std::vector<IdleSetting> idle;
  const auto add = [&](std::initializer_list<const char*> names, const std::string& reason) {
    for (const char* const name : names) idle.push_back({name, reason});
  };
  const std::string by_learner = "--learner " + config.learner + " does not read it";
  if (!acts(config.learner)) {
    add({"env-steps", "rollout", "gamma", "lambda", "entropy", "value-coefficient"}, by_learner);
  }
  if (config.learner != "ppo") add({"ratio-clip", "passes", "minibatches"}, by_learner);
  if (is_environment(config.task)) {
    add({"rule", "window", "train-size", "bucket", "epochs", "protocol"},
        "an environment has no set of strings");
    if (config.learner != "return_conditioned") {
      add({"data", "segment"}, "only --learner return_conditioned reads recorded episodes");
    }
    add({"tied-embeddings", "output-scale"}, "an environment has no tokens");
    return idle;
  }
  const TaskInfo task = task_info(config.task, task_options(config));
  if (task.features == 0) add({"real-input"}, "it reads no real numbers");
  add({"hidden"}, "its head is one linear map");
  if (task.is_drawn()) return idle;
  add({"rule", "window", "protocol", "eval-sequences", "eval-seed"},
      "its sets are given, not drawn");
  if (task.documents) add({"train-size", "bucket"}, "all documents are read, segment by segment");
  return idle;
}

}  // namespace rlt
