#include "train/run_config.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "base/nearest.hpp"
#include "base/number.hpp"
#include "train/likelihood.hpp"
#include "train/return_conditioning.hpp"

namespace rlt {
namespace {

constexpr double many = 1e9;
constexpr double almost_one = 0.9999999;
constexpr std::uint64_t last_seed = std::numeric_limits<std::uint64_t>::max();

template <typename Number>
Setting number(std::string name, std::string help, Number* value, std::string group, double low,
               double high) {
  return {std::move(name), std::move(help), value, std::move(group), {}, low, high};
}

Setting word(std::string name, std::string help, std::string* value, std::string group,
             std::vector<std::string> choices) {
  return {std::move(name), std::move(help), value, std::move(group), std::move(choices)};
}

void require_choice(const Setting& setting, std::string_view source, const std::string& value) {
  const std::vector<std::string>& known = setting.choices;
  if (known.empty() || std::ranges::find(known, value) != known.end()) return;
  fail(Exit::usage, "{} {}: unknown{}", source, shown(value), suggestion(value, known));
}

std::vector<std::string> split_at_commas(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t first = 0; first < text.size();) {
    const std::size_t comma = std::min(text.find(',', first), text.size());
    parts.push_back(text.substr(first, comma - first));
    first = comma + 1;
  }
  return parts;
}

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

}  // namespace

std::vector<Setting> settings(RunConfig& c) {
  return {
      {"task", "what to learn; `rlt tasks` lists them", &c.task, "Task"},
      word("rule",
           "paper: the original generator, quirks included; honest: the definition in the task's "
           "name",
           &c.rule, "Task", {"paper", "honest"}),
      {"data",
       "your own data: a folder of .src and .tgt files (file), a file or folder of text (text), a "
       "CSV file of recorded episodes (--learner return_conditioned)",
       &c.data, "Task"},
      {"task-option", "NAME=VALUE, a choice of one task (repeatable); see `rlt tasks NAME`",
       &c.task_options, "Task"},
      {"window", "training lengths, such as 2-50; empty: the task's own", &c.window, "Task"},
      number(
          "train-size",
          "sequences in the training set; 0: fresh samples at every step; default: 10000, or all "
          "of your own",
          &c.train_size, "Task", 0, many),
      number("bucket",
             "batches whose strings are sorted by length together, to pad less; 1: no sorting",
             &c.bucket, "Task", 1, many),
      number("segment",
             "tokens of a document read in one step; recurrent state is carried to the next, "
             "attention over all past steps starts anew; 0: 256 for text, or the cell's own. Steps "
             "in a "
             "window of return_conditioned, which begins anew; 0: the longest episode, at most 256",
             &c.segment, "Task", 0, 1e6),
      word("learner",
           "supervised: labelled strings; in environments a2c (default there), ppo: by rewards, or "
           "imitate: the best actions as labels, or return_conditioned: recorded episodes (--data)",
           &c.learner, "Task", {"supervised", "imitate", "a2c", "ppo", "return_conditioned"}),
      {"cell", "sequence cell; `rlt cells` lists them", &c.cell, "Model"},
      number("d-model", "width D of the layers", &c.d_model, "Model", 1, 65536),
      number("layers", "number of layers; 0: the cell's own", &c.layers, "Model", 0, 1000),
      number("heads", "heads; must divide --d-model", &c.heads, "Model", 1, 65536),
      number("ff", "feed-forward width as a multiple of --d-model", &c.ff, "Model", 1, 1024),
      number("dropout", "dropout rate", &c.dropout, "Model", 0, almost_one),
      word("positions", "where positions enter; `rlt cells NAME` says what a cell takes",
           &c.positions, "Model", {"none", "sinusoidal", "learned", "alibi", "rotary"}),
      {"cell-option", "NAME=VALUE, a choice of one cell (repeatable); see `rlt cells NAME`",
       &c.cell_options, "Model"},
      word("real-input",
           "how observations enter the first layer: own (the cell's), linear, relu, direct (lstm, "
           "gru, elman read them themselves)",
           &c.real_input, "Model", {"own", "linear", "relu", "direct"}),
      number("hidden", "width of the hidden layer of actor and critic; 0: none", &c.hidden, "Model",
             0, 65536),
      word("norm", "form of the norms around the cells: own (the cell's), layer, rms", &c.norm,
           "Model", {"own", "layer", "rms"}),
      word("tied-embeddings", "on: the table of input tokens is also the map to the outputs",
           &c.tied_embeddings, "Model", {"off", "on"}),
      word("output-scale", "factor of the outputs: none, or rsqrt: 1 / sqrt(--d-model)",
           &c.output_scale, "Model", {"none", "rsqrt"}),
      number("batch", "sequences in a step, or environments side by side", &c.batch, "Training", 1,
             largest_batch),
      number("epochs", "passes over the training set", &c.epochs, "Training", 1, many),
      number("steps", "training steps; 0: as many as --epochs has", &c.steps, "Training", 0, many),
      word("optimizer", "update rule", &c.optimizer, "Training",
           {"adam", "adamw", "sgd", "adafactor"}),
      number("lr", "learning rate", &c.learning_rate, "Training", 0, 1e6),
      number("beta1", "decay of the first moment of Adam and Adafactor", &c.beta1, "Training", 0,
             almost_one),
      number("beta2", "decay of Adam's second moment", &c.beta2, "Training", 0, almost_one),
      number("epsilon", "Adam's epsilon", &c.epsilon, "Training", 0, 1),
      number("weight-decay", "decoupled weight decay of adamw", &c.weight_decay, "Training", 0,
             1e6),
      number("momentum", "momentum of sgd", &c.momentum, "Training", 0, almost_one),
      word("schedule", "learning rate over time", &c.schedule, "Training",
           {"constant", "cosine", "rsqrt"}),
      number("warmup", "steps of linear warm-up", &c.warmup, "Training", 0, many),
      number("clip", "largest global gradient norm; 0: no clipping", &c.clip, "Training", 0, 1e30),
      number("env-steps", "steps of all environments together; --steps counts updates instead",
             &c.env_steps, "Acting", 1, 1e12),
      number("rollout", "steps of each environment per update", &c.rollout, "Acting", 1, 1e6),
      number("gamma", "discount", &c.gamma, "Acting", 0, 1),
      number("lambda", "of the lambda-returns", &c.lambda, "Acting", 0, 1),
      number("entropy", "coefficient of the policy's entropy", &c.entropy, "Acting", 0, 1e3),
      number("value-coefficient", "coefficient of the critic's loss", &c.value_coefficient,
             "Acting", 0, 1e3),
      number("ratio-clip", "ppo: how far the ratio of probabilities may go from 1", &c.ratio_clip,
             "Acting", 0, 1e3),
      number("passes", "ppo: passes over each rollout", &c.passes, "Acting", 1, 1000),
      number("minibatches", "ppo: parts of a rollout, of whole sequences; must divide --batch",
             &c.minibatches, "Acting", 1, largest_batch),
      word("protocol",
           "honest: stop and select on bin 0; paper: on bins 0 and 1, as arXiv 2310.16076 did",
           &c.protocol, "Evaluation", {"honest", "paper"}),
      number("eval-every",
             "steps between evaluations; 0: once per epoch, every 300 steps of fresh samples",
             &c.eval_every, "Evaluation", 0, many),
      number("eval-sequences", "distinct sequences in an evaluation set", &c.eval_sequences,
             "Evaluation", 1, most_sequences),
      {"eval-seed", "seed of the evaluation sets, independent of --seed", &c.eval_seed,
       "Evaluation"},
      number("patience", "evaluations without gain before stopping; 0: never stop early",
             &c.patience, "Evaluation", 0, many),
      number("log-every", "steps between rows of train.csv", &c.log_every, "Evaluation", 1, many),
      {"seed", "seed of weights, data order, data and dropout", &c.seed, "Run"},
      word("precision", "of all numbers", &c.precision, "Run", {"float", "double"}),
  };
}

bool has_value(const Setting& setting) {
  const auto* const optional = std::get_if<std::optional<Index>*>(&setting.value);
  return optional == nullptr || (*optional)->has_value();
}

std::string to_text(const Setting& setting) {
  if (!has_value(setting)) return {};
  return std::visit(
      [](const auto* value) {
        using Value = std::remove_cvref_t<decltype(*value)>;
        if constexpr (std::is_same_v<Value, std::vector<std::string>>) {
          return fmt::format("{}", fmt::join(*value, ","));
        } else if constexpr (std::is_same_v<Value, std::optional<Index>>) {
          return fmt::format("{}", **value);
        } else {
          return fmt::format("{}", *value);
        }
      },
      setting.value);
}

std::string values_text(const Setting& setting) {
  if (std::holds_alternative<std::uint64_t*>(setting.value)) {
    return fmt::format("from 0 to {}", last_seed);
  }
  if (setting.high > setting.low) return fmt::format("from {} to {}", setting.low, setting.high);
  return fmt::format("{}", fmt::join(setting.choices, ", "));
}

void set_from_text(const Setting& setting, std::string_view source, const std::string& text) {
  if (auto* const value = std::get_if<std::string*>(&setting.value)) {
    require_choice(setting, source, text);
    **value = text;
  } else if (auto* const list = std::get_if<std::vector<std::string>*>(&setting.value)) {
    **list = split_at_commas(text);
  } else if (auto* const seed = std::get_if<std::uint64_t*>(&setting.value)) {
    **seed = number_from<std::uint64_t>(source, text, 0, last_seed);
  } else if (auto* const real = std::get_if<double*>(&setting.value)) {
    **real = number_from<double>(source, text, setting.low, setting.high);
  } else {
    const auto whole = number_from<Index>(source, text, static_cast<Index>(setting.low),
                                          static_cast<Index>(setting.high));
    if (auto* const optional = std::get_if<std::optional<Index>*>(&setting.value)) {
      **optional = whole;
    } else {
      *std::get<Index*>(setting.value) = whole;
    }
  }
}

std::map<std::string, std::string> to_facts(RunConfig config) {
  std::map<std::string, std::string> facts;
  for (const Setting& setting : settings(config)) {
    if (has_value(setting)) facts[setting.name] = to_text(setting);
  }
  return facts;
}

RunConfig from_facts(const std::map<std::string, std::string>& facts) {
  RunConfig config;
  std::map<std::string, std::string> left = facts;
  for (const Setting& setting : settings(config)) {
    const auto fact = left.extract(setting.name);
    if (fact.empty()) continue;
    try {
      set_from_text(setting, "its " + setting.name, fact.mapped());
    } catch (const Error& error) {
      fail(Exit::failed, "the checkpoint is spoiled: {}", error.what());
    }
  }
  if (!left.empty()) {
    const auto& [name, value] = *left.begin();
    fail(Exit::failed,
         "the checkpoint has the setting {} = {}, which this version does not know: was it written "
         "by a later one?",
         shown(name), shown(value));
  }
  return config;
}

namespace {

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
    const Index per_update = acts(config.learner) ? product(config.batch, config.rollout) : 0;
    config.steps = per_update == 0 ? 1000 : divide_up(config.env_steps, per_update);
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
  add(config.train_size == 0, "bucket", "--train-size 0 has no set to sort");
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
