#include "model/sequence_model.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/gradient_check.hpp"
#include "losses/cross_entropy.hpp"
#include "model/training_step.hpp"
#include "support/numbers.hpp"
#include "support/reading.hpp"

using namespace rlt;
using support::cut;
using support::largest_difference;
using support::Reading;
using Numbers = std::vector<double>;

namespace {

// double against double: rounding alone
constexpr double double_tolerance = 1e-12;

SequenceModel<double> model_of(const std::string& cell, Positions positions, Index layers = 2,
                               double dropout = 0) {
  const LayerConfig layer{
      .cell = cell,
      .config = {.d_model = 12, .heads = 2, .positions = positions, .options = {}},
      .ff = 2};
  return SequenceModel<double>(classifier(layer, layers, 5, 12, dropout));
}

const Parameter<double>& named(const SequenceModel<double>& model, const std::string& name) {
  return *std::ranges::find(model.parameters().all(), name, &Parameter<double>::name);
}

/// All parameters zero: the layers hand their input through, and the head shows it.
SequenceModel<double> transparent(Positions positions) {
  SequenceModel<double> model = model_of("linear", positions);
  const Parameter<double>& head = named(model, "head.weight");
  for (Index c = 0; c < 12; ++c) head.value[c * 12 + c] = 1;
  return model;
}

double sinusoid(Index position, Index c) {
  const double angle =
      static_cast<double>(position) / std::pow(10000.0, static_cast<double>(c / 2 * 2) / 12.0);
  return c % 2 == 0 ? std::sin(angle) : std::cos(angle);
}

}  // namespace

TEST_CASE("model: the first token stands at position 0, and a start mark is a first token") {
  SequenceModel<double> model = transparent(Positions::sinusoidal);
  const Parameter<double>& embedding = named(model, "embedding.weight");
  std::fill_n(embedding.value, embedding.count(), 10);  // positions are added to it
  Reading reading(model, {2, 7});
  reading.starts[7 + 3] = 1;  // in the second sequence
  const Numbers logits = reading.read(0, 7, false);
  for (Index b = 0; b < 2; ++b) {
    for (Index t = 0; t < 7; ++t) {
      CAPTURE(b);
      CAPTURE(t);
      const Index position = b == 1 && t >= 3 ? t - 3 : t;
      for (Index c = 0; c < 12; ++c) {
        CHECK(std::abs(logits[(b * 7 + t) * 12 + c] - 10 - sinusoid(position, c)) <
              double_tolerance);
      }
    }
  }
}

TEST_CASE("model: positions are counted on from piece to piece, row by row") {
  SequenceModel<double> model = transparent(Positions::sinusoidal);
  Reading reading(model, {2, 7});
  reading.starts[7 + 1] = 1;
  for (const auto& [from, to] : {std::pair<Index, Index>{0, 3}, {3, 4}, {4, 7}}) {
    const Numbers logits = reading.read(from, to, true);
    for (Index b = 0; b < 2; ++b) {
      for (Index t = from; t < to; ++t) {
        CAPTURE(b);
        CAPTURE(t);
        const Index position = b == 1 && t >= 1 ? t - 1 : t;
        for (Index c = 0; c < 12; ++c) {
          CHECK(std::abs(logits[(b * (to - from) + t - from) * 12 + c] - sinusoid(position, c)) <
                double_tolerance);
        }
      }
    }
  }
}

TEST_CASE("model: without sinusoidal positions every position looks alike") {
  SequenceModel<double> model = transparent(Positions::none);
  Reading reading(model, {1, 4});
  CHECK(reading.read(0, 4, false) == Numbers(4 * 12, 0.0));
}

// Every wrapping, with and without a counter beside the cells' state.
TEST_CASE(
    "model: pieces of any size joined by the carried state equal the whole, starts inside too") {
  for (const char* cell : {"linear", "srwm", "lstm", "transformer"}) {
    for (const Positions positions : {Positions::none, Positions::sinusoidal, Positions::learned}) {
      CAPTURE(cell);
      CAPTURE(to_string(positions));
      SequenceModel<double> model = model_of(cell, positions);
      model.parameters().initialize(1);
      Reading reading(model, {3, 11});
      reading.starts[11 + 4] = 1;
      reading.starts[22 + 6] = 1;
      const Numbers whole = reading.read(0, 11, false);
      for (const auto& [from, to] : {std::pair<Index, Index>{0, 6}, {6, 7}, {7, 11}}) {
        CHECK(largest_difference(reading.read(from, to, true),
                                 cut(whole, reading.extent, from, to)) < double_tolerance);
      }
    }
  }
}

TEST_CASE("model: behind a start mark two layers know nothing of what was before") {
  for (const char* cell : {"linear", "srwm", "lstm", "transformer"}) {
    CAPTURE(cell);
    SequenceModel<double> model = model_of(cell, Positions::sinusoidal);
    model.parameters().initialize(1);
    Reading reading(model, {2, 9});
    for (Index cut_at = 1; cut_at < 9; ++cut_at) {
      CAPTURE(cut_at);
      std::ranges::fill(reading.starts, 0);
      for (Index b = 0; b < 2; ++b) reading.starts[b * 9 + cut_at] = 1;
      const Numbers marked = cut(reading.read(0, 9, false), reading.extent, cut_at, 9);
      std::ranges::fill(reading.starts, 0);
      CHECK(largest_difference(reading.read(cut_at, 9, false), marked) < double_tolerance);
      CHECK(largest_difference(cut(reading.read(0, 9, false), reading.extent, cut_at, 9), marked) >
            1e-6);
    }
  }
}

TEST_CASE("model: a fresh state is that of every layer, and reads like none") {
  for (const char* cell : {"deltanet", "lstm"}) {
    SequenceModel<double> one = model_of(cell, Positions::none, 1);
    SequenceModel<double> three = model_of(cell, Positions::none, 3);
    SequenceModel<double> counting = model_of(cell, Positions::sinusoidal, 3);
    CHECK(three.state_size(9) == 3 * one.state_size(9));
    CHECK(counting.state_size(9) == three.state_size(9) + 1);
    counting.parameters().initialize(1);
    Reading reading(counting, {2, 9});
    const Numbers without = reading.read(0, 9, false);
    CHECK(reading.read(0, 9, true) == without);
  }
}

namespace {

Score train(SequenceModel<double>& model, const Batch& batch, const Dropout& dropout = {},
            State<double>* state = nullptr) {
  TrainingStep<double> step(model, std::make_unique<CrossEntropy<double>>(model.outputs()));
  return step.run(batch, dropout, state);
}

/// All weights zero and the head's bias (0, log 2, 0, ...): class 1 is always the answer, with probability 2/13
/// against 1/13 for each of the 11 others.
SequenceModel<double> always_one() {
  SequenceModel<double> model = model_of("linear", Positions::none);
  named(model, "head.bias").value[1] = std::log(2.0);
  return model;
}

Batch batch_of(const std::vector<std::vector<int>>& targets, Index steps) {
  const Extent extent{std::ssize(targets), steps};
  Batch batch(extent);
  batch.reset(extent.batch, extent.steps);
  for (Index b = 0; b < extent.batch; ++b) {
    batch.set(b, {std::vector<int>(targets[b].size(), 2), targets[b]});
  }
  return batch;
}

}  // namespace

TEST_CASE("model: the training score counts what was right") {
  SequenceModel<double> model = always_one();
  model.carve({4, 3});
  // The last sequence is shorter, and two positions are not scored.
  const Batch batch = batch_of({{1, 1, 1}, {1, 0, 1}, {not_scored, 1, not_scored}, {2}}, 3);
  const Score score = train(model, batch);
  CHECK(score.tokens == 8);
  CHECK(score.tokens_correct == 6);
  CHECK(score.sequences == 4);
  CHECK(score.sequences_correct == 2);
  CHECK(score.loss == doctest::Approx(6 * std::log(13.0 / 2) + 2 * std::log(13.0)));
  // Mean over the scored positions of softmax - onehot.
  const double* const gradient = named(model, "head.bias").gradient;
  CHECK(gradient[0] == doctest::Approx(1.0 / 13 - 1.0 / 8));
  CHECK(gradient[1] == doctest::Approx(2.0 / 13 - 6.0 / 8));
  CHECK(gradient[2] == doctest::Approx(1.0 / 13 - 1.0 / 8));
  CHECK(gradient[3] == doctest::Approx(1.0 / 13));
}

TEST_CASE("model: training overwrites the gradients") {
  SequenceModel<double> model = model_of("deltanet", Positions::none);
  model.parameters().initialize(1);
  model.carve({2, 3});
  const Batch batch = batch_of({{1, 1, 1}, {1, 0, 3}}, 3);
  const auto gradients = [&] {
    train(model, batch);
    return Numbers(model.parameters().gradients(),
                   model.parameters().gradients() + model.parameters().flat_size());
  };
  const Numbers once = gradients();
  CHECK(gradients() == once);
}

TEST_CASE("model: where nothing is scored, nothing is learned") {
  SequenceModel<double> model = always_one();
  model.carve({1, 2});
  const Score score = train(model, batch_of({{not_scored, not_scored}}, 2));
  CHECK(score.tokens == 0);
  CHECK(score.tokens_correct == 0);
  CHECK(score.loss == 0);
  const double* const gradients = model.parameters().gradients();
  CHECK(std::all_of(gradients, gradients + model.parameters().flat_size(),
                    [](double gradient) { return gradient == 0; }));
}

// Every wrapping; two layers, positions, a carried state, a start inside, dropout.
TEST_CASE("model: gradients of the mean loss equal central differences") {
  for (const std::string cell : {"linear", "srwm", "lstm", "transformer"}) {
    CAPTURE(cell);
    const Positions positions = cell == "lstm" ? Positions::learned : Positions::sinusoidal;
    SequenceModel<double> model = model_of(cell, positions, 2, 0.2);
    model.parameters().initialize(1);
    Reading past(model, {2, 7});
    past.read(0, 7, true);
    const State<double> before = past.state;
    Batch batch = batch_of({{1, 4, 1, not_scored, 0, 2, 11}, {3, 1, 5}}, 7);
    batch.mark_start(1, 1);
    const Dropout dropout{0.2, Rng(5)};
    const auto loss = [&] {
      past.state = before;
      const Score score = train(model, batch, dropout, &past.state);
      return score.loss / static_cast<double>(score.tokens);
    };
    loss();
    const Numbers gradients(model.parameters().gradients(),
                            model.parameters().gradients() + model.parameters().flat_size());
    for (const Parameter<double>& parameter : model.parameters().all()) {
      CAPTURE(parameter.name);
      for (Index i = 0; i < parameter.count(); i += std::max<Index>(1, parameter.count() / 7)) {
        CHECK(rlt::gradient_error(parameter.value[i], gradients[parameter.offset + i], loss) <
              rlt::GradientTolerance().error);
      }
    }
  }
}

TEST_CASE("model: more threads than there is scratch for are refused, not let loose") {
  const int before = thread_count();
  set_thread_count(1);
  SequenceModel<double> model = model_of("deltanet", Positions::none);
  Reading reading(model, {2, 3});
  set_thread_count(2);
  CHECK_THROWS_AS(reading.read(0, 3, false), Error);
  set_thread_count(1);
  CHECK_NOTHROW(reading.read(0, 3, false));
  set_thread_count(before);
}
