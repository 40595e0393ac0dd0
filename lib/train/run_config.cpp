#include "train/run_config.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "base/number.hpp"
#include "train/likelihood.hpp"
#include "train/return_conditioning.hpp"
#include "train/settings.hpp"

namespace rlt {
namespace {

/// Of several NAME=VALUE with one name the last counts; the others go.
void drop_repeated(std::vector<std::string>& items) {
  const auto name_of = [](const std::string& item) { return item.substr(0, item.find('=')); };
  std::vector<std::string> last;
  for (auto item = items.begin(); item != items.end(); ++item) {
    const auto is_later = [&](const std::string& other) {
      return name_of(other) == name_of(*item);
    };
    if (std::none_of(item + 1, items.end(), is_later)) last.push_back(*item);
  }
  items = std::move(last);
}

/// The same place, named from the root; empty stays empty.
std::string absolute_path(const std::string& path) {
  if (path.empty()) return path;
  std::error_code problem;
  const std::filesystem::path absolute = std::filesystem::absolute(path, problem);
  if (problem) fail(Exit::failed, "{}: cannot be found: {}", path, problem.message());
  return absolute.string();
}

Window parse_window(const std::string& text) {
  const std::size_t dash = text.find('-');
  if (dash != std::string::npos) {
    const auto low = parse_number<Index>(text.substr(0, dash));
    const auto high = parse_number<Index>(text.substr(dash + 1));
    const auto is_length = [](std::optional<Index> n) { return n && *n >= 0 && *n <= max_length; };
    if (is_length(low) && is_length(high)) return {*low, *high};
  }
  fail(Exit::usage, "--window {}: must be two lengths up to {} such as 2-50", text, max_length);
}

// What does not depend on the task.
void complete_common(RunConfig& config) {
  for (const Setting& setting : settings(config)) {
    if (has_value(setting)) set_from_text(setting, "--" + setting.name, to_text(setting));
  }
  drop_repeated(config.task_options);
  drop_repeated(config.cell_options);
  // Adam divides by it where every gradient was zero; below, no float holds it.
  constexpr double least = 1e-37;
  if (config.optimizer.starts_with("adam") && config.epsilon < least) {
    fail(Exit::usage, "--epsilon {}: {} divides by it, so that it must be at least {}",
         config.epsilon, config.optimizer, least);
  }
  if (config.layers == 0) config.layers = cell_info(config.cell).default_layers;
}

void complete_segment(RunConfig& config) {
  constexpr Index usual = 256;
  const CellInfo& cell = cell_info(config.cell);
  if (cell.segment_option.empty()) {
    if (config.segment == 0) config.segment = usual;
    return;
  }
  const OptionValues options = complete_options("cell-option", config.cell, cell.options,
                                                parse_options("cell-option", config.cell_options));
  const std::string& length = options.at(cell.segment_option);
  if (config.segment == 0) config.segment = std::stol(length);
  if (std::to_string(config.segment) != length) {
    fail(Exit::usage, "--segment {}: segments of {} are as long as its {}, {}", config.segment,
         config.cell, cell.segment_option, length);
  }
}

}  // namespace

std::unique_ptr<Task> complete(RunConfig& config, const Symbols& symbols) {
  complete_common(config);
  if (config.learner != "supervised") {
    fail(Exit::usage, "--learner {}: task {} has labelled strings, learnt by supervised",
         config.learner, config.task);
  }
  const TaskInfo info = task_info(config.task, task_options(config, symbols));
  if (config.train_size == 0 && !info.is_drawn()) {
    fail(Exit::usage, "--train-size 0: task {} draws no fresh samples, its sets are given",
         config.task);
  }
  if (config.train_size == 0 && config.steps == 0) {
    fail(Exit::usage, "--train-size 0 draws fresh samples for ever: say how long with --steps");
  }
  if (config.segment > 0 && !info.documents) {
    fail(Exit::usage, "--segment {}: {} has no documents to cut; its strings are read whole",
         config.segment, config.task);
  }
  if (info.documents) complete_segment(config);
  config.data = absolute_path(config.data);
  std::unique_ptr<Task> task = make_task(config, symbols);
  model_config(config, task->info());
  if (!info.is_drawn()) return task;
  config.train_size = training_size(config, *task);
  const Window window = training_window(config, *task);
  check_window(*task, window);
  config.window = fmt::format("{}-{}", window.low, window.high);
  return task;
}

Index acting_updates(const RunConfig& config) {
  return divide_up(config.env_steps, product(config.batch, config.rollout));
}

std::unique_ptr<Environment> complete_acting(RunConfig& config) {
  complete_common(config);
  std::unique_ptr<Environment> environment =
      make_environment(config.task, parse_options("task-option", config.task_options));
  const EnvironmentInfo& info = environment->info();
  if (config.learner == "supervised") {
    fail(Exit::usage,
         "--learner supervised: {} is an environment: a2c, ppo, imitate or "
         "return_conditioned",
         config.task);
  }
  if (config.learner == "imitate" && !info.knows_best_action) {
    fail(Exit::usage,
         "--learner imitate: no best action is known in {}: a2c, ppo or return_conditioned",
         config.task);
  }
  if (config.learner == "ppo" && config.batch % config.minibatches != 0) {
    fail(Exit::usage, "--minibatches {}: must divide --batch {}", config.minibatches, config.batch);
  }
  if (config.learner == "return_conditioned") {
    if (config.data.empty()) {
      fail(Exit::usage,
           "--learner return_conditioned: needs --data FILE.csv of recorded episodes; rlt data "
           "--task {} --policy medium --write-csv FILE.csv makes one",
           config.task);
    }
    config.data = absolute_path(config.data);
    constexpr Index longest_window = 256;
    if (config.segment == 0) config.segment = std::min(info.longest, longest_window);
  }
  if (config.steps == 0) {
    config.steps = acts(config.learner) ? acting_updates(config) : 1000;
  }
  model_config(config, info);
  return environment;
}

std::vector<Trajectory> recorded_episodes(const RunConfig& config, const EnvironmentInfo& info) {
  if (config.learner != "return_conditioned") return {};
  return read_trajectories_csv(config.data, info);
}

bool acts(std::string_view learner) { return learner == "a2c" || learner == "ppo"; }

bool is_environment(std::string_view task) {
  return std::ranges::any_of(all_environments(),
                             [&](const EnvironmentEntry& entry) { return entry.name == task; });
}

// arXiv 2310.15719 and its code: A2C on T-Maze (each cell's learning rate and entropy are its own), PPO on
// Mystery Path with fewer environments. Imitation is ours. Return-conditioned cloning has what
// github.com/nikhilbarhate99/min-decision-transformer trains with, the host of Aaren's experiments (arXiv 2405.13956).
std::map<std::string, std::string> learner_defaults(const RunConfig& config) {
  if (!is_environment(config.task)) return {};
  const std::string learner = config.learner == "supervised" ? "a2c" : config.learner;
  std::map<std::string, std::string> defaults = {
      {"learner", learner}, {"d-model", "128"},   {"ff", "1"},
      {"beta2", "0.999"},   {"epsilon", "1e-08"}, {"clip", "0.5"},
      {"patience", "0"},    {"log-every", "5"},   {"eval-sequences", "200"}};
  const auto set = [&](const std::map<std::string, std::string>& others) {
    for (const auto& [name, value] : others) defaults[name] = value;
  };
  if (learner == "imitate") {
    set({{"lr", "0.001"}, {"eval-every", "50"}, {"patience", "20"}, {"log-every", "10"}});
    return defaults;
  }
  if (learner == "return_conditioned") {
    set({{"layers", "3"},
         {"heads", "1"},
         {"ff", "4"},
         {"dropout", "0.1"},
         {"hidden", "0"},
         {"batch", "64"},
         {"steps", "20000"},
         {"optimizer", "adamw"},
         {"lr", "0.0001"},
         {"weight-decay", "0.0001"},
         {"warmup", "10000"},
         {"clip", "0.25"},
         {"eval-every", "100"},
         {"log-every", "100"}});
    return defaults;
  }
  set({{"batch", "8"}, {"lr", "0.0001"}, {"eval-every", "5"}});
  if (config.cell == "lstm")
    set({{"d-model", "600"}, {"layers", "1"}, {"cell-option", "init=orthogonal"}});
  if (config.cell == "gru") set({{"d-model", "680"}, {"lr", "0.0005"}, {"entropy", "0.01"}});
  if (config.cell == "gtrxl") set({{"lr", "0.0005"}, {"entropy", "0.01"}});
  if (learner == "ppo") {
    set({{"batch", "16"},
         {"rollout", "128"},
         {"lr", "0.00025"},
         {"entropy", "0.0003"},
         {"clip", "5"},
         {"hidden", "256"}});
  }
  return defaults;
}

TaskOptions task_options(const RunConfig& config, const Symbols& symbols) {
  return {.rule = config.rule,
          .data = config.data,
          .options = parse_options("task-option", config.task_options),
          .symbols = symbols};
}

std::unique_ptr<Task> make_task(const RunConfig& config, const Symbols& symbols) {
  return make_task(config.task, task_options(config, symbols));
}

Window training_window(const RunConfig& config, const Task& task) {
  return config.window.empty() ? task.info().training : parse_window(config.window);
}

Index training_size(const RunConfig& config, const Task& task) {
  constexpr Index drawn = 10000;
  const std::vector<Example>* const own = task.fixed_set("train");
  if (own == nullptr) return config.train_size.value_or(drawn);
  return std::min(config.train_size.value_or(std::ssize(*own)), std::ssize(*own));
}

namespace {

/// None: the cell's own.
std::optional<NormForm> norm_form(const RunConfig& config) {
  for (const NormForm form : {NormForm::layer, NormForm::rms}) {
    if (config.norm == to_string(form)) return form;
  }
  return std::nullopt;
}

double output_scale(const RunConfig& config) {
  return config.output_scale == "rsqrt" ? 1 / std::sqrt(static_cast<double>(config.d_model)) : 1;
}

LayerConfig layer_config(const RunConfig& config) {
  return {.cell = config.cell,
          .config = {.d_model = config.d_model,
                     .heads = config.heads,
                     .positions = parse_positions(config.positions),
                     .options = parse_options("cell-option", config.cell_options)},
          .ff = config.ff,
          .norm = norm_form(config)};
}

Index layer_count(const RunConfig& config) {
  return config.layers == 0 ? cell_info(config.cell).default_layers : config.layers;
}

/// None: the cell's own.
std::optional<RealInput> real_input(const RunConfig& config) {
  for (const RealInput form : {RealInput::linear, RealInput::relu, RealInput::direct}) {
    if (config.real_input == to_string(form)) return form;
  }
  return std::nullopt;
}

}  // namespace

ModelConfig model_config(const RunConfig& config, const TaskInfo& task) {
  const LayerConfig layer = layer_config(config);
  const bool tied = config.tied_embeddings == "on";
  if (tied && task.inputs != task.outputs) {
    fail(Exit::usage, "--tied-embeddings on: {} reads other tokens than it answers", config.task);
  }
  return complete({.input = {.vocabulary = std::ssize(task.inputs),
                             .features = task.features,
                             .real_input = real_input(config),
                             .positions = layer.config.positions},
                   .layers = expand(layer, layer_count(config)),
                   .heads = {{.name = "head",
                              .outputs = likelihood_outputs(task),
                              .tied = tied,
                              .scale = output_scale(config)}},
                   .dropout = config.dropout,
                   .asks_last = task.asks_last});
}

ModelConfig model_config(const RunConfig& config, const EnvironmentInfo& environment) {
  const LayerConfig layer = layer_config(config);
  ModelConfig model{
      .input = {.features = config.learner == "return_conditioned" ? conditioned_size(environment)
                                                                   : environment.observations,
                .positions = layer.config.positions},
      .layers = expand(layer, layer_count(config)),
      .heads = {{"actor", environment.actions, config.hidden}},
      .dropout = config.dropout};
  model.input.real_input = real_input(config);
  if (acts(config.learner)) model.heads.push_back({"critic", 1, config.hidden});
  return complete(std::move(model));
}

OptimizerConfig optimizer_config(const RunConfig& config) {
  return {.kind = config.optimizer,
          .beta1 = config.beta1,
          .beta2 = config.beta2,
          .epsilon = config.epsilon,
          .weight_decay = config.weight_decay,
          .momentum = config.momentum};
}

std::string option_summary(const RunConfig& config) {
  std::vector<std::string> parts = config.cell_options;
  parts.insert(parts.end(), config.task_options.begin(), config.task_options.end());
  if (config.positions != "none") parts.push_back("positions=" + config.positions);
  std::ranges::sort(parts);
  return fmt::format("{}", fmt::join(parts, ";"));
}

}  // namespace rlt
