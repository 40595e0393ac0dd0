// Twenty training steps of a tiny model end in the same bits for every number of threads, and in a loss
// that is recorded here: a number that changes if and only if behaviour changes.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>

#include "base/parallel.hpp"
#include "losses/cross_entropy.hpp"
#include "model/training_step.hpp"
#include "optim/optimizer.hpp"

namespace {

using namespace rlt;

struct Trained {
  std::vector<double> values;
  double loss = 0;
};

Trained twenty_steps(const std::string& cell) {
  const LayerConfig layer{
      .cell = cell, .config = {.d_model = 24, .heads = 3, .options = {}}, .ff = 2};
  SequenceModel<double> model(classifier(layer, 2, 5, 3, 0.1));
  TrainingStep<double> training(model, std::make_unique<CrossEntropy<double>>(model.outputs()));
  model.parameters().initialize(1);
  const Extent extent{9, 37};
  model.carve(extent);
  Optimizer<double> adam({}, model.parameters().flat_size());
  Batch batch(extent);
  Trained trained;
  for (Index step = 1; step <= 20; ++step) {
    batch.reset(extent.batch, extent.steps);
    for (Index b = 0; b < extent.batch; ++b) {
      const Rng rng = Rng(1).stream(static_cast<std::uint64_t>(step * 100 + b));
      Example example;
      for (Index t = 0; t < extent.steps - b; ++t) {
        example.tokens.push_back(static_cast<int>(rng.below(t, 5)));
        example.targets.push_back(static_cast<int>(rng.below(t + 1000, 3)));
      }
      batch.set(b, example);
    }
    const Score score =
        training.run(batch, {.rate = 0.1, .key = Rng(3).stream(static_cast<std::uint64_t>(step))});
    clip_gradients(model.parameters(), 1.0);
    adam.update(model.parameters(), step, 1e-2);
    trained.loss = score.loss / static_cast<double>(score.tokens);
  }
  trained.values.assign(model.parameters().values(),
                        model.parameters().values() + model.parameters().flat_size());
  return trained;
}

// Loss of the twentieth step in double. Another processor rounds otherwise; 1e-7 leaves room for that
// and none for a changed equation, default, start or order of random numbers.
const std::map<std::string, double> signatures = {
    {"lstm", 1.099493491812},
    {"elstm", 1.098510413470},
    {"transformer", 1.102049770189},
    {"transformer_preln", 1.093734865214},
    {"linear", 1.306896264025},
    {"deltanet", 1.093795049039},
    {"delta_rnn", 1.093334421955},
    {"delta_lstm", 1.093441180221},
    {"rdn", 1.092824681703},
    {"srwm", 1.092378059857},
    {"delta_mlp", 1.094598051685},
    {"gru", 1.095513823632},
    {"elman", 1.100008736241},
    {"gtrxl", 1.097373751296},
    {"galite", 1.101343099862},
    {"agalite", 1.098410586978},
    {"aaren", 1.103240935130},
    {"transformer_xl", 1.096584228820},
    {"sliding_window", 1.096584228820},
    {"block_recurrent", 1.096263137665},
};

}  // namespace

TEST_CASE("signature: twenty steps of every cell repeat the recorded loss, whatever the threads") {
  const int before = thread_count();
  for (const CellEntry& entry : all_cells()) {
    INFO(entry.info.name);
    set_thread_count(1);
    const Trained one = twenty_steps(entry.info.name);
    set_thread_count(3);
    const Trained three = twenty_steps(entry.info.name);
    CHECK(one.values == three.values);
    const auto recorded = signatures.find(entry.info.name);
    CHECK_MESSAGE(recorded != signatures.end(), fmt::format("record {:.12f}", one.loss));
    if (recorded == signatures.end()) continue;
    // galite divides by what may be as small as 1e-10: rounding grows from step to step.
    const double tolerance = entry.info.name == "galite" ? 1e-3 : 1e-7;
    CHECK_MESSAGE(std::abs(one.loss - recorded->second) < tolerance,
                  fmt::format("{:.12f}", one.loss));
  }
  set_thread_count(before);
}
