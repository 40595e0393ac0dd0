#include "train/settings.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/error.hpp"
#include "base/nearest.hpp"
#include "base/number.hpp"

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

}  // namespace rlt
