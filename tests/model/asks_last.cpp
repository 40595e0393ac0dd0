// Models whose heads read the last position of each sequence alone.
#include <doctest/doctest.h>

#include <vector>

#include "base/gradient_check.hpp"
#include "losses/cross_entropy.hpp"
#include "model/training_step.hpp"

using namespace rlt;

namespace {

constexpr Index features = 2;
constexpr Index classes = 3;
constexpr Extent extent{4, 7};
constexpr Index lengths[] = {7, 1, 5, 3};

SequenceModel<double> model_that(bool asks_last) {
  const CellConfig sizes{.d_model = 6, .heads = 2, .options = {}};
  return SequenceModel<double>(
      complete(ModelConfig{.input = {.features = features},
                           .layers = {{.cell = "deltanet", .config = sizes}},
                           .heads = {{"head", classes}},
                           .asks_last = asks_last}));
}

Example example(Index length, std::uint64_t seed) {
  const Rng rng(seed);
  Example made;
  made.tokens.assign(static_cast<std::size_t>(length), 0);
  made.targets = {static_cast<int>(seed % classes)};
  for (Index i = 0; i < length * features; ++i) {
    made.reals.push_back(static_cast<float>(2 * rng.uniform(i) - 1));
  }
  return made;
}

Batch batch() {
  Batch filled(extent, features, 0, true);
  filled.reset(extent.batch, extent.steps);
  for (Index b = 0; b < extent.batch; ++b) {
    filled.set(b, example(lengths[b], static_cast<std::uint64_t>(b + 1)));
  }
  return filled;
}

}  // namespace

TEST_CASE(
    "a model that asks last: outputs are those of all positions at the end of each sequence") {
  SequenceModel<double> last = model_that(true);
  SequenceModel<double> every = model_that(false);
  last.parameters().initialize(1);
  every.parameters().initialize(1);
  last.carve(extent);
  every.carve(extent);
  const Batch read = batch();
  const Matrix<double> all = every.forward(read.inputs(), {});
  const Matrix<double> ends = last.forward(read.inputs(), {});
  REQUIRE(ends.rows == extent.batch);
  for (Index b = 0; b < extent.batch; ++b) {
    for (Index k = 0; k < classes; ++k) {
      CHECK(ends.row(b)[k] == doctest::Approx(all.row(b * extent.steps + lengths[b] - 1)[k]));
    }
  }
}

TEST_CASE("a model that asks last: gradients equal central differences, and padding has none") {
  SequenceModel<double> model = model_that(true);
  model.parameters().initialize(1);
  model.carve(extent);
  TrainingStep<double> step(model, std::make_unique<CrossEntropy<double>>(classes));
  const Batch read = batch();
  const auto loss = [&] { return step.run(read, {}).loss_per_token(); };
  loss();
  const std::vector<double> gradients(
      model.parameters().gradients(),
      model.parameters().gradients() + model.parameters().flat_size());
  for (const Parameter<double>& parameter : model.parameters().all()) {
    CAPTURE(parameter.name);
    for (Index i = 0; i < parameter.count(); i += std::max<Index>(1, parameter.count() / 9)) {
      CHECK(gradient_error(parameter.value[i], gradients[parameter.offset + i], loss) <
            GradientTolerance().error);
    }
  }
  // What stands behind the end of a sequence changes nothing.
  Batch other = batch();
  other.real(1, 4)[0] = 100;
  const Score before = step.run(read, {});
  const Score after = step.run(other, {});
  CHECK(after.loss == before.loss);
  CHECK(after.tokens == extent.batch);
}
