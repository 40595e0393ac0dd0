#include "train/learners/imitate.hpp"

#include <algorithm>
#include <utility>

#include "losses/cross_entropy.hpp"
#include "model/training_step.hpp"
#include "train/learners/episodes_learner.hpp"
#include "train/learners/make_update.hpp"
#include "train/stop.hpp"

namespace rlt {
namespace {

template <std::floating_point T>
class Imitate final : public EpisodesLearner<T> {
 public:
  Imitate(const RunConfig& config, Environment& environment)
      : EpisodesLearner<T>(config, environment, {config.batch, 32}),
        step_(model_, std::make_unique<CrossEntropy<T>>(environment.info().actions)),
        capacity_{config.batch, 32},
        batch_(capacity_, environment.info().observations),
        episodes_(static_cast<std::size_t>(config.batch)) {
    environment.resize(config.batch);
  }

  std::vector<Carried<T>> carried() override { return {}; }

  void prepare(Index step) override {
    demonstrate(Rng(config_.seed).stream("episodes").stream(static_cast<std::uint64_t>(step)));
  }

  void update(TrainingState& state) override {
    const Score score = step_.run(batch_, this->dropout(state.step));
    make_update(model_, optimizer_, config_, score, batch_.extent(), state.step,
                this->learning_rate(state.step), this->first_update(), state);
    state.tokens += score.tokens;
    state.sequences += score.sequences;
  }

  // Right when every action of an episode is the best one.
  Validation validate(TrainingState& /*state*/) override {
    Score sum;
    for (Index first = 0; first < config_.eval_sequences; first += config_.batch) {
      demonstrate(Rng(config_.eval_seed).stream("valid").stream(static_cast<std::uint64_t>(first)));
      const Matrix<T> outputs = model_.forward(
          batch_.inputs(), {.starts = batch_.starts(), .keep = Pass<T>::Keep::nothing});
      std::vector<Score> scores(static_cast<std::size_t>(config_.batch));
      step_.loss().apply(batch_.targets(), T(0), outputs, scores);
      sum += total(scores);
    }
    const double right =
        static_cast<double>(sum.sequences_correct) / static_cast<double>(sum.sequences);
    return {right, sum.loss_per_token(),
            fmt::format("  whole episodes right {:.1f} %", 100 * right)};
  }

 private:
  using EpisodesLearner<T>::config_;
  using EpisodesLearner<T>::environment_;
  using EpisodesLearner<T>::model_;
  using EpisodesLearner<T>::optimizer_;

  // Fills the batch with an episode in each row. Where no action is best, none is asked, and action 0 is taken.
  void demonstrate(const Rng& rng) {
    const EnvironmentInfo& info = environment_.info();
    const Index rows = config_.batch;
    const auto all = static_cast<std::size_t>(rows);
    std::vector<float> observations(all * static_cast<std::size_t>(info.observations));
    const Matrix<float> seen(observations.data(), rows, info.observations);
    const auto begin = [&](Index row) {
      environment_.reset(row, rng.stream(static_cast<std::uint64_t>(row)), seen.row(row));
    };
    for (Index row = 0; row < rows; ++row) {
      begin(row);
      episodes_[static_cast<std::size_t>(row)] = {};
    }
    std::vector<int> actions(all);
    std::vector<float> rewards(all);
    std::vector<std::uint8_t> ended(all), over(all);
    Index longest = 0;
    for (Index left = rows; left > 0; ++longest) {
      check_stop();
      for (Index row = 0; row < rows; ++row) {
        const auto at = static_cast<std::size_t>(row);
        const int best = environment_.best_action(row);
        actions[at] = std::max(best, 0);
        if (over[at] != 0) continue;
        Example& episode = episodes_[at];
        episode.reals.insert(episode.reals.end(), seen.row(row), seen.row(row) + info.observations);
        episode.targets.push_back(best < 0 ? not_scored : best);
      }
      environment_.act(actions, seen, rewards, ended);
      for (Index row = 0; row < rows; ++row) {
        const auto at = static_cast<std::size_t>(row);
        if (ended[at] == 0) continue;
        left -= over[at] == 0 ? 1 : 0;
        over[at] = 1;
        begin(row);  // an episode whose end nobody awaits
      }
    }
    reserve(longest);
    batch_.reset(rows, longest);
    for (Index row = 0; row < rows; ++row)
      batch_.set(row, episodes_[static_cast<std::size_t>(row)]);
  }

  void reserve(Index steps) {
    if (steps <= capacity_.steps) return;
    capacity_.steps = round_up(steps, 32);
    model_.carve(capacity_, "--batch, --d-model or --layers");
    batch_ = Batch(capacity_, environment_.info().observations);
  }

  TrainingStep<T> step_;
  Extent capacity_;
  Batch batch_;
  std::vector<Example> episodes_;
};

}  // namespace

template <std::floating_point T>
std::unique_ptr<Learner<T>> make_imitate(const RunConfig& config, Environment& environment) {
  return std::make_unique<Imitate<T>>(config, environment);
}

template std::unique_ptr<Learner<float>> make_imitate<float>(const RunConfig&, Environment&);
template std::unique_ptr<Learner<double>> make_imitate<double>(const RunConfig&, Environment&);

}  // namespace rlt
