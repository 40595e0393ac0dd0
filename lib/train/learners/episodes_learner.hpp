// What all learners in an environment share: the model, its optimiser, and how they are measured.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "train/learner.hpp"
#include "train/play_csv.hpp"
#include "train/run_config.hpp"

namespace rlt {

template <std::floating_point T>
class EpisodesLearner : public Learner<T> {
 public:
  /// `largest`: of an update; `smaller` names the flags that ask for less.
  EpisodesLearner(const RunConfig& config, Environment& environment, Extent largest,
                  std::string_view smaller = "--batch, --rollout, --d-model or --layers")
      : config_(config),
        environment_(environment),
        model_(model_config(config, environment.info())),
        optimizer_(optimizer_config(config), model_.parameters().flat_size()),
        schedule_{.kind = config.schedule,
                  .learning_rate = config.learning_rate,
                  .warmup = config.warmup,
                  .steps = config.steps} {
    model_.parameters().initialize(config.seed);
    model_.carve(largest, smaller);
  }

  SequenceModel<T>& model() override { return model_; }
  Optimizer<T>& optimizer() override { return optimizer_; }
  Index total_steps() const override { return config_.steps; }
  Index steps_between_validations() const override {
    return std::max<Index>(1, config_.eval_every);
  }
  double learning_rate(Index step) const override { return schedule_.at(step); }

  std::vector<std::string> evaluation_header() const override { return play_header(); }
  std::vector<std::vector<CsvCell>> evaluate_selected(Index step) override {
    const std::unique_ptr<Environment> environment =
        make_environment(config_.task, parse_options("task-option", config_.task_options));
    return rows_of(*environment, step);
  }

 protected:
  /// Drawn and greedy episodes in `environment`, one like that of the training.
  std::vector<std::vector<CsvCell>> rows_of(Environment& environment, Index step,
                                            const std::optional<Wanted>& wanted = {}) {
    const EnvironmentInfo& info = environment.info();
    std::vector<std::vector<CsvCell>> rows;
    for (const Choice choice : {Choice::sample, Choice::greedy}) {
      const Episodes played = play(model_, environment, config_.eval_sequences, config_.batch,
                                   config_.eval_seed, choice);
      rows.push_back(play_cells({.config = config_,
                                 .environment = info,
                                 .choice = choice,
                                 .played = played,
                                 .seed = config_.eval_seed,
                                 .size = info.size,
                                 .parameters = model_.parameters().count(),
                                 .state_size = model_.state_size(info.longest + 1),
                                 .step = step,
                                 .select = "best",
                                 .wanted = wanted}));
    }
    return rows;
  }

  /// Success where the environment knows it, else the return between that of random actions (0) and the best (1).
  Validation validation_of(const Episodes& episodes) const {
    const EnvironmentInfo& info = environment_.info();
    if (episodes.count == 0) {
      return {0, std::numeric_limits<double>::infinity(), "  no episode ended"};
    }
    const double earned = episodes.mean_return();
    const double success =
        static_cast<double>(episodes.successes) / static_cast<double>(episodes.count);
    const double share = (earned - info.random_return) / (info.best_return - info.random_return);
    const bool knows_success = !info.success.empty();
    return {knows_success ? success : std::clamp(share, 0.0, 1.0),
            std::max(0.0, info.best_return - earned),
            fmt::format("  return {:.3f}{} in {} episodes", earned,
                        knows_success ? fmt::format(", success {:.1f} %", 100 * success) : "",
                        episodes.count)};
  }
  Dropout dropout(Index update) const {
    return {config_.dropout,
            Rng(config_.seed).stream("dropout").stream(static_cast<std::uint64_t>(update))};
  }
  /// True once: of the first update that this process makes.
  bool first_update() { return std::exchange(is_first_, false); }

  RunConfig config_;
  Environment& environment_;
  SequenceModel<T> model_;
  Optimizer<T> optimizer_;

 private:
  Schedule schedule_;
  bool is_first_ = true;
};

}  // namespace rlt
