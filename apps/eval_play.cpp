#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "eval.hpp"
#include "io/standard_streams.hpp"
#include "train/checkpoint.hpp"
#include "train/data_identity.hpp"
#include "train/play_csv.hpp"
#include "train/return_conditioning.hpp"

namespace rlt {
namespace {

std::unique_ptr<Environment> environment_of(const RunConfig& config, const std::string& size_option,
                                            Index size) {
  OptionValues options = parse_options("task-option", config.task_options);
  if (!size_option.empty() && size > 0) options[size_option] = fmt::format("{}", size);
  return make_environment(config.task, options);
}

// One line per step: what is there, the policy, what was done and earned.
void print_film(const std::vector<Turn>& turns) {
  double earned = 0;
  for (std::size_t step = 0; step < turns.size(); ++step) {
    const Turn& turn = turns[step];
    earned += turn.reward;
    std::string policy;
    for (std::size_t action = 0; action < turn.policy.size(); ++action) {
      const bool chosen = static_cast<int>(action) == turn.action;
      policy +=
          fmt::format(" {}{:.2f}{}", chosen ? "[" : " ", turn.policy[action], chosen ? "]" : " ");
    }
    fmt::print("{:4} {} {}  value {:6.2f}  reward {:5.2f}  so far {:6.2f}\n", step, turn.picture,
               policy, turn.value, turn.reward, earned);
  }
}

/// What a return-conditioned run is asked for in `environment`; nothing of other learners.
std::optional<Wanted> wanted_by(const EvalCommand& command, const Checkpoint& checkpoint,
                                Environment& environment) {
  const DataIdentity data = data_identity(checkpoint_facts(checkpoint.path));
  if (!data.returns) return std::nullopt;
  const bool is_given = std::ranges::find(command.given, "target-return") != command.given.end();
  return Wanted{.target = is_given ? command.target_return : data.returns->best,
                .expert_return = expert_return(environment, command.sequences, command.eval_seed),
                .recorded = *data.returns};
}

/// `environment` itself, or with what is wanted to be read beside it.
std::unique_ptr<Environment> seen_by_policy(std::unique_ptr<Environment> environment,
                                            const std::optional<Wanted>& wanted, double scale) {
  if (!wanted) return environment;
  return std::make_unique<ReturnConditioned>(std::move(environment), wanted->target, scale);
}

std::string score_text(double earned, const EnvironmentInfo& info, const Wanted& wanted) {
  std::string text = fmt::format(", asked for {:.3f}", wanted.target);
  if (std::isnan(wanted.expert_return)) return text;
  return text + fmt::format(": score {:.1f}, its data {:.1f}",
                            normalised_score(earned, info, wanted),
                            normalised_score(wanted.recorded.mean, info, wanted));
}

template <std::floating_point T>
void play_all(const EvalCommand& command, const RunConfig& config, const Checkpoint& checkpoint,
              const std::vector<Index>& sizes) {
  const std::unique_ptr<Environment> trained = environment_of(config, "", 0);
  const std::string& size_option = trained->info().size_option;
  SequenceModel<T> model(model_config(config, trained->info()));
  TrainingState state;
  load_checkpoint<T>(checkpoint.path, model.parameters(), nullptr, state);
  model.carve({command.batch, 1}, "--batch");
  const Choice choice = command.greedy ? Choice::greedy : Choice::sample;
  const double scale = return_scale(trained->info());
  if (command.show) {
    std::unique_ptr<Environment> environment = environment_of(config, size_option, sizes.front());
    const std::optional<Wanted> wanted = wanted_by(command, checkpoint, *environment);
    environment = seen_by_policy(std::move(environment), wanted, scale);
    print_film(play_one(model, *environment, command.eval_seed, choice));
    return;
  }
  CsvFile csv = open_csv(command.csv, play_header());
  for (const Index size : sizes) {
    std::unique_ptr<Environment> environment = environment_of(config, size_option, size);
    const std::optional<Wanted> wanted = wanted_by(command, checkpoint, *environment);
    environment = seen_by_policy(std::move(environment), wanted, scale);
    const EnvironmentInfo& info = environment->info();
    const Episodes played =
        play(model, *environment, command.sequences, command.batch, command.eval_seed, choice);
    csv.append(play_cells({.config = config,
                           .environment = info,
                           .choice = choice,
                           .played = played,
                           .seed = command.eval_seed,
                           .size = info.size,
                           .parameters = model.parameters().count(),
                           .state_size = model.state_size(info.longest + 1),
                           .step = state.step,
                           .select = checkpoint.select,
                           .wanted = wanted}));
    csv.flush();
    print_message("{}{}: {} of {} episodes succeeded, return {:.3f} (best {:.3f}, random {:.3f}){}",
                  config.task, size > 0 ? fmt::format(" {} {}", size_option, size) : "",
                  played.successes, played.count, played.mean_return(), info.best_return,
                  info.random_return,
                  wanted ? score_text(played.mean_return(), info, *wanted) : "");
  }
}

}  // namespace

void eval_play(const EvalCommand& command, const RunConfig& config, const Checkpoint& checkpoint) {
  refuse_flags(command.given, {"bins", "piece", "data"}, config.task + " is an environment");
  if (config.learner != "return_conditioned") {
    refuse_flags(command.given, {"target-return"},
                 "the policy of " + config.learner + " reads no wanted return");
  }
  std::vector<Index> sizes = {0};
  if (!command.lengths.empty()) {
    const std::string size_option = environment_of(config, "", 0)->info().size_option;
    if (size_option.empty()) {
      fail(Exit::usage, "--lengths {}: {} has no size to vary", command.lengths, config.task);
    }
    sizes = parse_list("lengths", command.lengths, 1, max_length);
    // One that cannot be is an error before the file exists.
    for (const Index size : sizes) environment_of(config, size_option, size);
  }
  if (command.show && sizes.size() > 1) {
    fail(Exit::usage, "--lengths {}: --show plays one episode of one size", command.lengths);
  }
  if (config.precision == "double") {
    play_all<double>(command, config, checkpoint, sizes);
  } else {
    play_all<float>(command, config, checkpoint, sizes);
  }
}

}  // namespace rlt
