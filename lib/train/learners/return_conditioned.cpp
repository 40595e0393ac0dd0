#include "train/learners/return_conditioned.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "losses/cross_entropy.hpp"
#include "model/training_step.hpp"
#include "train/data_identity.hpp"
#include "train/learners/episodes_learner.hpp"
#include "train/learners/make_update.hpp"
#include "train/return_conditioning.hpp"
#include "train/stop.hpp"

namespace rlt {
namespace {

/// A part of an episode.
struct Piece {
  const Example* episode;
  Index from, steps;
};

template <std::floating_point T>
class ReturnConditionedCloning final : public EpisodesLearner<T> {
 public:
  ReturnConditionedCloning(const RunConfig& config, Environment& environment,
                           const std::vector<Trajectory>& recorded)
      : EpisodesLearner<T>(config, environment, {config.batch, config.segment},
                           "--batch, --segment, --d-model or --layers"),
        step_(model_, std::make_unique<CrossEntropy<T>>(environment.info().actions)),
        batch_({config.batch, config.segment}, conditioned_size(environment.info())),
        pieces_(static_cast<std::size_t>(config.batch)),
        returns_(*identity_of(recorded).returns) {
    const double scale = return_scale(environment.info());
    constexpr std::size_t every = 10;
    for (std::size_t i = 0; i < recorded.size(); ++i) {
      Example episode = conditioned(recorded[i], environment.info(), scale);
      (i % every == every - 1 ? held_out_ : episodes_).push_back(std::move(episode));
    }
    Index windows = 0;
    for (const Example& episode : episodes_) {
      windows += divide_up(std::ssize(episode.targets), config.segment);
      windows_up_to_.push_back(windows);
    }
  }

  std::vector<Carried<T>> carried() override { return {}; }

  void prepare(Index step) override {
    const Rng rng = Rng(config_.seed).stream("windows").stream(static_cast<std::uint64_t>(step));
    for (Index b = 0; b < config_.batch; ++b) {
      const Rng own = rng.stream(static_cast<std::uint64_t>(b));
      const auto drawn =
          std::ranges::upper_bound(windows_up_to_, own.below(0, windows_up_to_.back()));
      const Example& episode = episodes_[static_cast<std::size_t>(drawn - windows_up_to_.begin())];
      const Index length = std::ssize(episode.targets);
      const Index steps = std::min(config_.segment, length);
      pieces_[static_cast<std::size_t>(b)] = {&episode, own.below(1, length - steps + 1), steps};
    }
  }

  void update(TrainingState& state) override {
    fill(pieces_);
    const Score score = step_.run(batch_, this->dropout(state.step));
    make_update(model_, optimizer_, config_, score, batch_.extent(), state.step,
                this->learning_rate(state.step), this->first_update(), state);
    state.tokens += score.tokens;
    state.sequences += score.sequences;
  }

  // No episode is foretold as a whole by a policy that leaves anything to chance: the loss decides.
  Validation validate(TrainingState& /*state*/) override {
    std::vector<Piece> all;
    for (const Example& episode : held_out_.empty() ? episodes_ : held_out_) {
      const Index length = std::ssize(episode.targets);
      for (Index from = 0; from < length; from += config_.segment) {
        all.push_back({&episode, from, std::min(config_.segment, length - from)});
      }
    }
    Score sum;
    for (Index first = 0; first < std::ssize(all); first += config_.batch) {
      check_stop();
      const Index count = std::min(config_.batch, std::ssize(all) - first);
      fill(
          std::span(all).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)));
      const Matrix<T> outputs = model_.forward(batch_.inputs(), {.keep = Pass<T>::Keep::nothing});
      std::vector<Score> scores(static_cast<std::size_t>(count));
      step_.loss().apply(batch_.targets(), T(0), outputs, scores);
      sum += total(scores);
    }
    const double right = static_cast<double>(sum.tokens_correct) / static_cast<double>(sum.tokens);
    return {0, sum.loss_per_token(), fmt::format("  actions foretold {:.1f} %", 100 * right)};
  }

  std::vector<std::vector<CsvCell>> evaluate_selected(Index step) override {
    std::unique_ptr<Environment> environment =
        make_environment(config_.task, parse_options("task-option", config_.task_options));
    const Wanted wanted{
        .target = returns_.best,
        .expert_return = expert_return(*environment, config_.eval_sequences, config_.eval_seed),
        .recorded = returns_};
    const double scale = return_scale(environment->info());
    ReturnConditioned conditioned(std::move(environment), wanted.target, scale);
    return this->rows_of(conditioned, step, wanted);
  }

 private:
  using EpisodesLearner<T>::config_;
  using EpisodesLearner<T>::model_;
  using EpisodesLearner<T>::optimizer_;

  void fill(std::span<const Piece> pieces) {
    Index longest = 0;
    for (const Piece& piece : pieces) longest = std::max(longest, piece.steps);
    batch_.reset(std::ssize(pieces), longest);
    for (std::size_t b = 0; b < pieces.size(); ++b) {
      batch_.set(static_cast<Index>(b), *pieces[b].episode, pieces[b].from);
    }
  }

  TrainingStep<T> step_;
  Batch batch_;
  std::vector<Piece> pieces_;  // of the prepared update
  std::vector<Example> episodes_, held_out_;
  std::vector<Index> windows_up_to_;  // of episodes_, up to and with each
  Returns returns_;
};

}  // namespace

template <std::floating_point T>
std::unique_ptr<Learner<T>> make_return_conditioned(const RunConfig& config,
                                                    Environment& environment,
                                                    const std::vector<Trajectory>& recorded) {
  return std::make_unique<ReturnConditionedCloning<T>>(config, environment, recorded);
}

template std::unique_ptr<Learner<float>> make_return_conditioned<float>(
    const RunConfig&, Environment&, const std::vector<Trajectory>&);
template std::unique_ptr<Learner<double>> make_return_conditioned<double>(
    const RunConfig&, Environment&, const std::vector<Trajectory>&);

}  // namespace rlt
