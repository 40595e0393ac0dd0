#include "train/run_config.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "base/error.hpp"
#include "base/nearest.hpp"
#include "train/applicable.hpp"

namespace rlt {
namespace {

template <typename Number>
Number parse_number(const std::string& name, const std::string& text, std::string_view kind) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || rest != end) {
    fail(Exit::usage, "--{} {}: must be {}", name, text, kind);
  }
  return number;
}

void require_choice(const std::string& name, const std::string& value,
                    const std::vector<std::string>& known) {
  if (std::ranges::find(known, value) != known.end()) return;
  fail(Exit::usage, "--{} {}: unknown{}", name, value, suggestion(value, known));
}

template <typename Number>
void require_range(const std::string& name, Number value, Number low, Number high) {
  if (value >= low && value <= high) return;
  fail(Exit::usage, "--{} {}: must be from {} to {}", name, value, low, high);
}

Window parse_window(const std::string& text) {
  const std::size_t dash = text.find('-');
  if (dash == std::string::npos) {
    fail(Exit::usage, "--window {}: must be two lengths such as 2-50", text);
  }
  return {parse_number<Index>("window", text.substr(0, dash), "two lengths such as 2-50"),
          parse_number<Index>("window", text.substr(dash + 1), "two lengths such as 2-50")};
}

}  // namespace

std::vector<Setting> settings(RunConfig& c) {
  return {
      {"task", "what to learn; `rlt tasks` lists them", &c.task, "Task"},
      {"rule", "paper: the original generator, quirks included; honest: what the name says",
       &c.rule, "Task"},
      {"data",
       "your own data: a folder of .src and .tgt files (file), a file or folder of text (text)",
       &c.data, "Task"},
      {"task-option", "NAME=VALUE, a choice of one task (repeatable); see `rlt tasks NAME`",
       &c.task_options, "Task"},
      {"window", "training lengths, such as 2-50; empty: the task's own", &c.window, "Task"},
      {"train-size",
       "sequences in the training set; 0: fresh samples at every step; empty: 10000, or all of "
       "your own",
       &c.train_size, "Task"},
      {"bucket", "batches whose strings are sorted by length together, to pad less; 1: no sorting",
       &c.bucket, "Task"},
      {"segment",
       "tokens of a document read in one step, the state carried to the next; 0: 256 for text",
       &c.segment, "Task"},
      {"cell", "sequence cell; `rlt cells` lists them", &c.cell, "Model"},
      {"d-model", "width D of the layers", &c.d_model, "Model"},
      {"layers", "number of layers; 0: the cell's own", &c.layers, "Model"},
      {"heads", "heads; must divide --d-model", &c.heads, "Model"},
      {"ff", "feed-forward width as a multiple of --d-model", &c.ff, "Model"},
      {"dropout", "dropout rate", &c.dropout, "Model"},
      {"positions", "none, sinusoidal, alibi or rotary", &c.positions, "Model"},
      {"cell-option", "NAME=VALUE, a choice of one cell (repeatable); see `rlt cells NAME`",
       &c.cell_options, "Model"},
      {"batch", "sequences in a step", &c.batch, "Training"},
      {"epochs", "passes over the training set", &c.epochs, "Training"},
      {"steps", "training steps; 0: as many as --epochs has", &c.steps, "Training"},
      {"optimizer", "adam, adamw or sgd", &c.optimizer, "Training"},
      {"lr", "learning rate", &c.learning_rate, "Training"},
      {"beta1", "decay of Adam's first moment", &c.beta1, "Training"},
      {"beta2", "decay of Adam's second moment", &c.beta2, "Training"},
      {"epsilon", "Adam's epsilon", &c.epsilon, "Training"},
      {"weight-decay", "decoupled weight decay (adamw)", &c.weight_decay, "Training"},
      {"momentum", "momentum (sgd)", &c.momentum, "Training"},
      {"schedule", "learning rate over time: constant or cosine", &c.schedule, "Training"},
      {"warmup", "steps of linear warm-up", &c.warmup, "Training"},
      {"clip", "largest global gradient norm; 0: no clipping", &c.clip, "Training"},
      {"protocol",
       "honest: stop and select on bin 0; paper: on bins 0 and 1, as arXiv 2310.16076 did",
       &c.protocol, "Evaluation"},
      {"eval-every", "steps between evaluations; 0: once an epoch", &c.eval_every, "Evaluation"},
      {"eval-sequences", "distinct sequences in an evaluation set", &c.eval_sequences,
       "Evaluation"},
      {"eval-seed", "seed of the evaluation sets, independent of --seed", &c.eval_seed,
       "Evaluation"},
      {"patience", "evaluations without gain before stopping; 0: never stop early", &c.patience,
       "Evaluation"},
      {"log-every", "steps between rows of train.csv", &c.log_every, "Evaluation"},
      {"seed", "seed of weights, data order, data and dropout", &c.seed, "Run"},
      {"precision", "float or double", &c.precision, "Run"},
  };
}

std::string to_text(const Setting& setting) {
  return std::visit(
      [](const auto* value) {
        using Value = std::remove_cvref_t<decltype(*value)>;
        if constexpr (std::is_same_v<Value, std::vector<std::string>>) {
          return fmt::format("{}", fmt::join(*value, ","));
        } else if constexpr (std::is_same_v<Value, std::optional<Index>>) {
          return value->has_value() ? fmt::format("{}", **value) : std::string();
        } else {
          return fmt::format("{}", *value);
        }
      },
      setting.value);
}

void set_from_text(const Setting& setting, const std::string& text) {
  std::visit(
      [&](auto* value) {
        using Value = std::remove_cvref_t<decltype(*value)>;
        if constexpr (std::is_same_v<Value, std::string>) {
          *value = text;
        } else if constexpr (std::is_same_v<Value, std::vector<std::string>>) {
          value->clear();
          for (std::size_t first = 0; first < text.size();) {
            const std::size_t comma = std::min(text.find(',', first), text.size());
            value->push_back(text.substr(first, comma - first));
            first = comma + 1;
          }
        } else if constexpr (std::is_same_v<Value, std::optional<Index>>) {
          value->reset();
          if (!text.empty()) *value = parse_number<Index>(setting.name, text, "a whole number");
        } else {
          *value = parse_number<Value>(
              setting.name, text, std::is_same_v<Value, double> ? "a number" : "a whole number");
        }
      },
      setting.value);
}

std::map<std::string, std::string> to_facts(RunConfig config) {
  std::map<std::string, std::string> facts;
  for (const Setting& setting : settings(config)) facts[setting.name] = to_text(setting);
  return facts;
}

RunConfig from_facts(const std::map<std::string, std::string>& facts) {
  RunConfig config;
  for (const Setting& setting : settings(config)) {
    const auto found = facts.find(setting.name);
    if (found == facts.end()) {
      fail(Exit::failed, "the checkpoint does not say its '{}': was it written by another version?",
           setting.name);
    }
    set_from_text(setting, found->second);
  }
  return config;
}

std::unique_ptr<Task> complete(RunConfig& config, const Symbols& symbols) {
  constexpr Index many = 1'000'000'000;
  require_choice("rule", config.rule, {"paper", "honest"});
  require_choice("protocol", config.protocol, {"honest", "paper"});
  require_choice("precision", config.precision, {"float", "double"});
  require_choice("schedule", config.schedule, {"constant", "cosine"});
  require_choice("optimizer", config.optimizer, {"adam", "adamw", "sgd"});
  require_range<Index>("train-size", config.train_size.value_or(0), 0, many);
  require_range<Index>("bucket", config.bucket, 1, many);
  require_range<Index>("segment", config.segment, 0, 1'000'000);
  require_range<Index>("layers", config.layers, 0, 1000);
  require_range<Index>("batch", config.batch, 1, 1'000'000);
  require_range<Index>("epochs", config.epochs, 1, many);
  require_range<Index>("steps", config.steps, 0, many);
  require_range<Index>("eval-every", config.eval_every, 0, many);
  require_range<Index>("eval-sequences", config.eval_sequences, 1, 10'000'000);
  require_range<Index>("patience", config.patience, 0, many);
  require_range<Index>("log-every", config.log_every, 1, many);
  require_range<Index>("warmup", config.warmup, 0, many);
  require_range("lr", config.learning_rate, 0.0, 1e6);
  require_range("beta1", config.beta1, 0.0, 0.9999999);
  require_range("beta2", config.beta2, 0.0, 0.9999999);
  require_range("epsilon", config.epsilon, 0.0, 1.0);
  require_range("weight-decay", config.weight_decay, 0.0, 1e6);
  require_range("momentum", config.momentum, 0.0, 0.9999999);
  require_range("clip", config.clip, 0.0, 1e30);
  const TaskInfo info = task_info(config.task, task_options(config, symbols));
  require_applicable(config, info);
  if (config.layers == 0) config.layers = cell_info(config.cell).default_layers;
  if (config.train_size == 0 && config.steps == 0) {
    fail(Exit::usage, "--train-size 0 draws fresh samples for ever: say how long with --steps");
  }
  if (info.documents && config.segment == 0) config.segment = 256;
  config.data = absolute_path(config.data);
  std::unique_ptr<Task> task = make_task(config, symbols);
  model_config(config, task->info());
  if (!info.data.empty()) return task;
  config.train_size = training_size(config, *task);
  const Window window = training_window(config, *task);
  check_window(*task, window);
  config.window = fmt::format("{}-{}", window.low, window.high);
  return task;
}

std::string absolute_path(const std::string& path) {
  if (path.empty()) return path;
  std::error_code problem;
  const std::filesystem::path absolute = std::filesystem::absolute(path, problem);
  if (problem) fail(Exit::failed, "{}: cannot be found: {}", path, problem.message());
  return absolute.string();
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
  const std::vector<Example>* const given = task.fixed_set("train");
  if (given == nullptr) return config.train_size.value_or(drawn);
  return std::min(config.train_size.value_or(std::ssize(*given)), std::ssize(*given));
}

ModelConfig model_config(const RunConfig& config, const TaskInfo& task) {
  const CellConfig cell{.d_model = config.d_model,
                        .heads = config.heads,
                        .positions = parse_positions(config.positions),
                        .options = parse_options("cell-option", config.cell_options)};
  return complete(ModelConfig{
      .cell = config.cell,
      .cell_config = cell,
      .layers = config.layers == 0 ? cell_info(config.cell).default_layers : config.layers,
      .ff = config.ff,
      .dropout = config.dropout,
      .vocabulary_in = std::ssize(task.inputs),
      .vocabulary_out = std::ssize(task.outputs)});
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
