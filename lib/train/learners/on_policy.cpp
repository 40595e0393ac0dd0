#include "train/learners/on_policy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "losses/actor_critic.hpp"
#include "losses/policy.hpp"
#include "model/training_step.hpp"
#include "train/actors.hpp"
#include "train/learners/episodes_learner.hpp"
#include "train/learners/make_update.hpp"

namespace rlt {
namespace {

/// What both learners share: the rollout and what surrounds it.
template <std::floating_point T>
class OnPolicy : public EpisodesLearner<T> {
 public:
  OnPolicy(const RunConfig& config, Environment& environment, std::unique_ptr<Loss<T>> loss,
           Index target_size)
      : EpisodesLearner<T>(config, environment, {config.batch, config.rollout + 1}),
        step_(model_, std::move(loss)),
        actors_(environment, model_, config.batch, config.seed),
        kept_(actors_.state()),
        batch_({config.batch, config.rollout + 1}, environment.info().observations, target_size) {}

  std::vector<Carried<T>> carried() override {
    return {{"state", actors_.state().to_rows()}, {"journal", actors_.journal()}};
  }
  void resume() override {
    actors_.state().from_rows();
    actors_.resume();
    model_.rebuild(actors_.state());
  }

  void prepare(Index /*step*/) override {}

  void update(TrainingState& state) override {
    kept_ = actors_.state();
    batch_.reset(config_.batch, config_.rollout + 1);
    Episodes ended;
    for (Index t = 0; t < config_.rollout; ++t) {
      show(t);
      const Matrix<T> outputs = actors_.read(model_);
      const std::vector<int>& actions = actors_.sample(outputs);
      for (Index b = 0; b < config_.batch; ++b) {
        batch_.ask(b, t, actions[static_cast<std::size_t>(b)]);
        acted(b, t, outputs.row(b), actions[static_cast<std::size_t>(b)]);
      }
      actors_.act(ended);
      for (Index b = 0; b < config_.batch; ++b) {
        const auto at = static_cast<std::size_t>(b);
        followed(b, t, actors_.rewards()[at],
                 actors_.ended()[at] != 0 ? 0.0F : static_cast<float>(config_.gamma));
      }
    }
    show(config_.rollout);
    state.episodes += ended;
    state.unvalidated += ended;
    state.tokens += config_.batch * config_.rollout;
    state.sequences += config_.batch;
    learn(state);
    model_.rebuild(actors_.state());
  }

  Validation validate(TrainingState& state) override {
    return this->validation_of(std::exchange(state.unvalidated, {}));
  }
  bool stops_early() const override { return config_.patience > 0; }

 protected:
  using EpisodesLearner<T>::config_;
  using EpisodesLearner<T>::environment_;
  using EpisodesLearner<T>::model_;
  using EpisodesLearner<T>::optimizer_;

  /// `action` was drawn from `outputs` in row b at step t; then came `reward`, and what follows counts `discount`.
  virtual void acted(Index b, Index t, const T* outputs, int action) = 0;
  virtual void followed(Index b, Index t, float reward, float discount) = 0;
  /// Updates from the rollout in `batch_`, read from `kept_` on.
  virtual void learn(TrainingState& state) = 0;

  TrainingStep<T> step_;
  Actors<T> actors_;
  State<T> kept_;  // before the first observation of the rollout
  Batch batch_;    // (B, rollout + 1)

 private:
  void show(Index t) {
    for (Index b = 0; b < config_.batch; ++b) {
      const float* const seen = actors_.observations().row(b);
      std::copy_n(seen, environment_.info().observations, batch_.real(b, t));
      if (actors_.starts()[b] != 0) batch_.mark_start(b, t);
    }
  }
};

ActorCriticConfig loss_config(const RunConfig& config, const EnvironmentInfo& info) {
  return {.actions = info.actions,
          .value_coefficient = config.value_coefficient,
          .entropy_coefficient = config.entropy,
          .lambda = config.lambda,
          .clip = config.ratio_clip};
}

template <std::floating_point T>
class AdvantageLearner final : public OnPolicy<T> {
 public:
  AdvantageLearner(const RunConfig& config, Environment& environment)
      : OnPolicy<T>(
            config, environment,
            std::make_unique<AdvantageActorCritic<T>>(loss_config(config, environment.info())), 2) {
  }

 private:
  using OnPolicy<T>::batch_;

  void acted(Index, Index, const T*, int) override {}
  void followed(Index b, Index t, float reward, float discount) override {
    float* const target = batch_.real_target(b, t);
    target[0] = reward;
    target[1] = discount;
  }
  void learn(TrainingState& state) override {
    const Score score = this->step_.run(batch_, this->dropout(state.step), &this->kept_);
    make_update(this->model_, this->optimizer_, this->config_, score, batch_.extent(), state.step,
                this->learning_rate(state.step), this->first_update(), state);
  }
};

template <std::floating_point T>
class ProximalLearner final : public OnPolicy<T> {
 public:
  ProximalLearner(const RunConfig& config, Environment& environment)
      : OnPolicy<T>(config, environment,
                    std::make_unique<ProximalPolicy<T>>(loss_config(config, environment.info())),
                    3),
        actions_(environment.info().actions),
        part_({config.batch / config.minibatches, config.rollout}, environment.info().observations,
              3),
        part_state_(this->model_.fresh_state(config.batch / config.minibatches,
                                             environment.info().longest + 1)),
        after_(this->actors_.state()) {
    const auto steps = static_cast<std::size_t>(config.batch * config.rollout);
    values_.resize(steps);
    order_.resize(static_cast<std::size_t>(config.batch));
  }

 private:
  using OnPolicy<T>::batch_;
  using OnPolicy<T>::config_;

  void acted(Index b, Index t, const T* outputs, int action) override {
    batch_.real_target(b, t)[0] = static_cast<float>(Policy<T>(outputs, actions_).log_p(action));
    values_[static_cast<std::size_t>(b * config_.rollout + t)] =
        static_cast<double>(outputs[actions_]);
  }
  // In the places of advantage and return, until `foresee` replaces them.
  void followed(Index b, Index t, float reward, float discount) override {
    float* const target = batch_.real_target(b, t);
    target[1] = reward;
    target[2] = discount;
  }

  // Advantages and returns of the rollout, with the values at acting.
  void foresee() {
    after_ = this->actors_.state();
    const Matrix<T> last = this->actors_.read(this->model_);
    std::swap(after_, this->actors_.state());
    for (Index b = 0; b < config_.batch; ++b) {
      double next_value = static_cast<double>(last.row(b)[actions_]);
      double next_return = next_value;
      for (Index t = config_.rollout - 1; t >= 0; --t) {
        float* const target = batch_.real_target(b, t);
        next_return = lambda_return(static_cast<double>(target[1]), static_cast<double>(target[2]),
                                    config_.lambda, next_value, next_return);
        next_value = values_[static_cast<std::size_t>(b * config_.rollout + t)];
        target[1] = static_cast<float>(next_return - next_value);
        target[2] = static_cast<float>(next_return);
      }
    }
  }

  void learn(TrainingState& state) override {
    foresee();
    const Index rows = config_.batch / config_.minibatches;
    for (Index pass = 0; pass < config_.passes; ++pass) {
      shuffle(state.step, pass);
      for (Index i = 0; i < config_.minibatches; ++i) {
        fill_part(i * rows, rows);
        const Index done = pass * config_.minibatches + i;
        const Index number = (state.step - 1) * config_.passes * config_.minibatches + done + 1;
        const Score score = this->step_.run(part_, this->dropout(number), &part_state_);
        make_update(this->model_, this->optimizer_, config_, score, part_.extent(), number,
                    this->learning_rate(state.step), done == 0 && this->first_update(), state);
      }
    }
  }

  void shuffle(Index step, Index pass) {
    std::iota(order_.begin(), order_.end(), Index{0});
    const Rng rng = Rng(config_.seed)
                        .stream("minibatches")
                        .stream(static_cast<std::uint64_t>(step))
                        .stream(static_cast<std::uint64_t>(pass));
    for (Index i = std::ssize(order_) - 1; i > 0; --i) {
      std::swap(order_[static_cast<std::size_t>(i)],
                order_[static_cast<std::size_t>(rng.below(i, i + 1))]);
    }
  }

  // Sequences order_[first ..] with their kept state, advantages normalised over the part.
  void fill_part(Index first, Index rows) {
    part_.reset(rows, config_.rollout);
    double sum = 0;
    double squares = 0;
    for (Index row = 0; row < rows; ++row) {
      const Index b = order_[static_cast<std::size_t>(first + row)];
      part_.copy(row, batch_, b);
      part_state_.copy(row, this->kept_, b);
      for (Index t = 0; t < config_.rollout; ++t) {
        const auto advantage = static_cast<double>(part_.real_target(row, t)[1]);
        sum += advantage;
        squares += advantage * advantage;
      }
    }
    const auto count = static_cast<double>(rows * config_.rollout);
    const double mean = sum / count;
    const double deviation = std::sqrt(std::max(0.0, squares / count - mean * mean)) + 1e-8;
    for (Index row = 0; row < rows; ++row) {
      for (Index t = 0; t < config_.rollout; ++t) {
        float& advantage = part_.real_target(row, t)[1];
        advantage = static_cast<float>((static_cast<double>(advantage) - mean) / deviation);
      }
    }
  }

  Index actions_;
  Batch part_;
  State<T> part_state_;
  State<T> after_;              // the state behind the rollout, while the last value is read
  std::vector<double> values_;  // (B, rollout), at acting
  std::vector<Index> order_;
};

}  // namespace

template <std::floating_point T>
std::unique_ptr<Learner<T>> make_on_policy(const RunConfig& config, Environment& environment) {
  if (config.learner == "ppo") return std::make_unique<ProximalLearner<T>>(config, environment);
  return std::make_unique<AdvantageLearner<T>>(config, environment);
}

template std::unique_ptr<Learner<float>> make_on_policy<float>(const RunConfig&, Environment&);
template std::unique_ptr<Learner<double>> make_on_policy<double>(const RunConfig&, Environment&);

}  // namespace rlt
