// Can it learn? Tiny models must solve short parity within a fixed number of steps: a wrong gradient or a
// wrong update rarely survives this.
#include <doctest/doctest.h>

#include "losses/cross_entropy.hpp"
#include "model/training_step.hpp"
#include "optim/optimizer.hpp"
#include "tasks/task.hpp"

namespace {

using namespace rlt;

// Training accuracy by token over the last ten of `steps` steps.
double learned(const std::string& cell, Index steps, std::uint64_t seed) {
  const std::unique_ptr<Task> task =
      make_task("parity", {.rule = "honest", .data = {}, .options = {}});
  const LayerConfig layer{
      .cell = cell, .config = {.d_model = 32, .heads = 2, .options = {}}, .ff = 2};
  SequenceModel<float> model(classifier(layer, 1, 2, 2));
  TrainingStep<float> training(model, std::make_unique<CrossEntropy<float>>(model.outputs()));
  model.parameters().initialize(seed);
  const Extent extent{32, 12};
  model.carve(extent);
  Optimizer<float> adam({}, model.parameters().flat_size());
  Batch batch(extent);
  Score last;
  for (Index step = 1; step <= steps; ++step) {
    batch.reset(extent.batch, extent.steps);
    const Rng rng = Rng(seed).stream("data").stream(static_cast<std::uint64_t>(step));
    for (Index b = 0; b < extent.batch; ++b) {
      Draws draws(rng.stream(static_cast<std::uint64_t>(b)));
      Example example;
      task->draw(draws, {2, extent.steps}, example);
      batch.set(b, example);
    }
    const Score score = training.run(batch, {});
    adam.update(model.parameters(), step, 3e-3);
    if (step > steps - 10) last += score;
  }
  return static_cast<double>(last.tokens_correct) / static_cast<double>(last.tokens);
}

}  // namespace

TEST_CASE("learn: cells that track state solve short parity") {
  for (const char* cell : {"lstm", "rdn", "srwm"}) {
    INFO(cell);
    CHECK(learned(cell, 600, 1) > 0.99);
  }
}

TEST_CASE("learn: one layer of linear attention does not solve parity") {
  CHECK(learned("linear", 600, 1) < 0.9);
}
