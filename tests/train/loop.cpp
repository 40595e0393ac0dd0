// The loop around learners that are none of the program's: one whose validations are written down here, and one
// that acts in an environment.
#include "train/loop.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "losses/squared_error.hpp"
#include "model/training_step.hpp"
#include "support/one_thread.hpp"
#include "support/temporary_folder.hpp"
#include "tasks/environment.hpp"
#include "train/settings.hpp"
#include "train/stop.hpp"

using namespace rlt;

namespace {

/// Two layers of different cells on real inputs, and a head for real targets.
ModelConfig two_cells(Index features, Index outputs) {
  const CellConfig sizes{.d_model = 8, .heads = 2, .options = {}};
  return complete(
      ModelConfig{.input = {.features = features},
                  .layers = {{.cell = "deltanet", .config = sizes, .ff = 2},
                             {.cell = "lstm", .config = sizes, .block = "prenorm", .ff = 1}},
                  .heads = {{"values", outputs}}});
}

/// What both learners share: a model that learns the returns of random actions in an environment.
class Echoes : public Learner<float> {
 public:
  explicit Echoes(std::vector<double> metrics = {0.5})
      : environment_(make_environment("echo", {})),
        model_(two_cells(environment_->info().observations, 1)),
        step_(model_, std::make_unique<SquaredError<float>>(1)),
        optimizer_({}, model_.parameters().flat_size()),
        batch_(extent, environment_->info().observations, 1),
        metrics_(std::move(metrics)) {
    model_.parameters().initialize(1);
    model_.carve(extent);
    carried_ = model_.fresh_state(extent.batch, extent.steps);
    environment_->resize(extent.batch);
  }

  SequenceModel<float>& model() override { return model_; }
  Optimizer<float>& optimizer() override { return optimizer_; }
  std::vector<Carried<float>> carried() override { return {{"state", carried_.to_rows()}}; }
  void resume() override { carried_.from_rows(); }
  Index total_steps() const override { return 20; }
  Index steps_between_validations() const override { return 2; }
  double learning_rate(Index) const override { return 1e-2; }

  // Plays an episode in every row; the reward of each random action is what the model is to foresee.
  void prepare(Index step) override {
    check_stop();
    batch_.reset(extent.batch, extent.steps);
    const Index seen = environment_->info().observations;
    std::vector<float> observations(static_cast<std::size_t>(extent.batch * seen));
    const Matrix<float> shown(observations.data(), extent.batch, seen);
    const Rng rng = Rng(2).stream(static_cast<std::uint64_t>(step));
    for (Index b = 0; b < extent.batch; ++b) {
      environment_->reset(b, rng.stream(static_cast<std::uint64_t>(b)), shown.row(b));
    }
    std::vector<Example> episodes(static_cast<std::size_t>(extent.batch));
    std::vector<int> actions(episodes.size());
    std::vector<float> rewards(episodes.size());
    std::vector<std::uint8_t> ended(episodes.size());
    for (Index t = 0; t < extent.steps; ++t) {
      for (Index b = 0; b < extent.batch; ++b) {
        Example& episode = episodes[static_cast<std::size_t>(b)];
        episode.reals.insert(episode.reals.end(), shown.row(b), shown.row(b) + seen);
        actions[b] = static_cast<int>(rng.below(t * extent.batch + b, seen));
      }
      environment_->act(actions, shown, rewards, ended);
      for (Index b = 0; b < extent.batch; ++b) episodes[b].real_targets.push_back(rewards[b]);
    }
    for (Index b = 0; b < extent.batch; ++b) batch_.set(b, episodes[static_cast<std::size_t>(b)]);
    for (Index b = 0; b < extent.batch; ++b) batch_.mark_start(b, 0);
  }

  void update(TrainingState& state) override {
    const Score score = step_.run(batch_, {}, &carried_);
    state.last_loss = score.loss_per_token();
    state.gradient_norm = clip_gradients(model_.parameters(), 1);
    optimizer_.update(model_.parameters(), state.step, learning_rate(state.step));
    state.interval += score;
    state.tokens += score.tokens;
    state.sequences += score.sequences;
  }

  Validation validate(TrainingState&) override {
    const std::size_t index = std::min(validations_++, metrics_.size() - 1);
    return {metrics_[index], 1, ""};
  }
  std::vector<std::vector<CsvCell>> evaluate_selected(Index) override { return {}; }

 private:
  static constexpr Extent extent{4, 9};
  std::unique_ptr<Environment> environment_;
  SequenceModel<float> model_;
  TrainingStep<float> step_;
  Optimizer<float> optimizer_;
  Batch batch_;
  State<float> carried_;
  std::vector<double> metrics_;
  std::size_t validations_ = 0;
};

struct Ended {
  Index step = 0, best_step = 0;
};

Ended run(const std::vector<double>& metrics, const std::string& protocol, Index patience) {
  const test::OneThread one_thread;
  const test::TemporaryFolder folder;
  const RunFolder place(folder.path());
  RunConfig config;
  config.protocol = protocol;
  config.patience = patience;
  config.log_every = 1;
  place.begin(config);
  const Facts facts = to_facts(config);
  Echoes learner(metrics);
  run_loop(learner, config, facts, place, {.quiet = true, .command_line = "test"});
  const TrainingState last = checkpoint_state(place.last());
  return {last.step, last.best_step};
}

}  // namespace

TEST_CASE("loop: the paper's protocol stops when all is solved, the honest one at the third time") {
  CHECK(run({0.5, 1}, "paper", 0).step == 4);
  CHECK(run({0.5, 1}, "honest", 0).step == 8);
  CHECK(run({1, 1, 0.5, 1, 1, 1}, "honest", 0).step == 12);
  CHECK(run({0.5}, "honest", 0).step == 20);
}

TEST_CASE("loop: both stop after so many validations without gain, and the best step is kept") {
  for (const char* protocol : {"paper", "honest"}) {
    const Ended ended = run({0.5, 0.7, 0.6, 0.6, 0.6, 0.9}, protocol, 3);
    CHECK(ended.step == 10);
    CHECK(ended.best_step == 4);
  }
}

TEST_CASE(
    "loop: a learner in an environment, a model of two cells, stops and goes on in the same bits") {
  const test::OneThread one_thread;
  const auto trained = [](bool stops) {
    const test::TemporaryFolder folder;
    const RunFolder place(folder.path());
    RunConfig config;
    config.patience = 0;
    place.begin(config);
    TrainOptions options{.quiet = true, .command_line = "test"};
    if (stops) {
      double looks = 0;
      const StopRequests requests(15, [&] { return ++looks; });
      Echoes first;
      CHECK_THROWS_AS(run_loop(first, config, to_facts(config), place, options), Stopped);
      CHECK(checkpoint_state(place.last()).step > 0);
      options.resume = true;
    }
    Echoes learner;
    run_loop(learner, config, to_facts(config), place, options);
    CHECK(checkpoint_state(place.last()).step == 20);
    Echoes loaded;
    TrainingState state;
    load_checkpoint(place.last(), loaded.model().parameters(), &loaded.optimizer(), state,
                    loaded.carried());
    const float* const values = loaded.model().parameters().values();
    return std::vector<float>(values, values + loaded.model().parameters().flat_size());
  };
  const std::vector<float> whole = trained(false);
  CHECK(trained(true) == whole);
}
