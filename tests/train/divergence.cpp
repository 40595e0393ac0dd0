#include "train/divergence.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "losses/cross_entropy.hpp"
#include "model/training_step.hpp"
#include "support/message.hpp"
#include "support/one_thread.hpp"

using namespace rlt;

namespace {

constexpr Extent extent{3, 7};

SequenceModel<float> small_model(const std::string& cell) {
  const LayerConfig layer{
      .cell = cell, .config = {.d_model = 8, .heads = 2, .options = {}}, .ff = 2};
  return SequenceModel<float>(classifier(layer, 2, 5, 3));
}

/// What is said of a step: `spoil` is called before it, with false, and after it, with true.
template <typename Spoil>
std::string report_after(Spoil&& spoil, const std::string& cell = "deltanet",
                         bool first_update = true) {
  const test::OneThread one_thread;
  SequenceModel<float> model = small_model(cell);
  model.parameters().initialize(1);
  model.carve(extent);
  Batch batch(extent);
  batch.reset(extent.batch, extent.steps);
  for (Index b = 0; b < extent.batch; ++b) {
    batch.set(b, {{0, 1, 2, 3, 4, 0, 1}, {0, 0, 0, 0, 0, 0, 0}});
  }
  spoil(model, false);
  TrainingStep<float> step(model, std::make_unique<CrossEntropy<float>>(model.outputs()));
  const Score score = step.run(batch, {});
  spoil(model, true);
  TrainingState state;
  state.step = first_update ? 1 : 8;
  state.last_loss = 0.5;
  state.gradient_norm = clip_gradients(model.parameters(), 0);
  return test::error_of([&] {
    report_divergence(model, extent, score.loss / static_cast<double>(score.tokens), state,
                      first_update);
  });
}

const Parameter<float>& named(SequenceModel<float>& model, const std::string& name) {
  for (const Parameter<float>& parameter : model.parameters().all()) {
    if (parameter.name == name) return parameter;
  }
  FAIL("no parameter " << name);
  return model.parameters().all().front();
}

/// Replaces one weight before the step.
auto weight(const std::string& name, float value) {
  return [=](SequenceModel<float>& model, bool after) {
    if (!after) named(model, name).value[0] = value;
  };
}

/// Replaces one gradient after the step.
auto gradient(const std::string& name, float value) {
  return [=](SequenceModel<float>& model, bool after) {
    if (after) named(model, name).gradient[0] = value;
  };
}

constexpr float infinity = std::numeric_limits<float>::infinity();

/// The message names this as the first.
bool names_first(const std::string& message, const std::string& cause) {
  return message.starts_with("3: diverged at step") &&
         message.find("not finite first: " + cause) != std::string::npos;
}

}  // namespace

TEST_CASE("divergence: a parameter that is itself not finite is named, wherever it stands") {
  for (const std::string cell : {"deltanet", "lstm", "transformer"}) {
    CAPTURE(cell);
    const SequenceModel<float> model = small_model(cell);
    for (const Parameter<float>& parameter : model.parameters().all()) {
      CHECK(names_first(report_after(weight(parameter.name, std::nanf("")), cell),
                        "the parameter " + parameter.name + "."));
    }
  }
}

TEST_CASE("divergence: finite weights that overflow are found by what they gave first") {
  const std::pair<const char*, const char*> spoiled[] = {{"embedding.weight", "block.0"},
                                                         {"block.0.ff.up.weight", "block.0"},
                                                         {"block.0.ff.down.bias", "block.1"},
                                                         {"block.1.ff.up.weight", "block.1"},
                                                         {"head.weight", "head"}};
  for (const auto& [name, place] : spoiled) {
    CAPTURE(name);
    const std::string message = report_after([&](SequenceModel<float>& model, bool after) {
      const Parameter<float>& parameter = named(model, name);
      if (!after) std::fill_n(parameter.value, parameter.count(), 3e38f);
    });
    CAPTURE(message);
    CHECK(names_first(
        message,
        fmt::format("the output of {} (largest parameter up to there: {}, 3e+38)", place, name)));
  }
}

TEST_CASE("divergence: finite logits whose loss overflows are told from logits that do") {
  CHECK(names_first(report_after([](SequenceModel<float>& model, bool after) {
                      if (after) return;
                      named(model, "head.bias").value[0] = -3e38f;  // the target of every position
                      named(model, "head.bias").value[1] = 3e38f;
                    }),
                    "the loss."));
}

TEST_CASE("divergence: gradients are named in the order of the backward pass") {
  CHECK(names_first(report_after(gradient("head.bias", infinity)), "the gradient of head.bias."));
  CHECK(names_first(report_after([](SequenceModel<float>& model, bool after) {
                      gradient("embedding.weight", infinity)(model, after);
                      gradient("head.weight", std::nanf(""))(model, after);
                    }),
                    "the gradient of head.weight."));
}

TEST_CASE("divergence: gradients whose squares alone overflow are named, and clipping advised") {
  const std::string message = report_after(gradient("head.weight", 2.5e25f));
  CHECK(names_first(message,
                    "the square of the gradient of head.weight (up to 2.5e+25). Try --clip 1"));
  CHECK(squares_overflow<float>("adam", 2e19));
  CHECK_FALSE(squares_overflow<float>("adam", 1e19));
  CHECK_FALSE(squares_overflow<double>("adam", 2e19));
  CHECK_FALSE(squares_overflow<float>("sgd", 2e30));
}

TEST_CASE("divergence: before the first update no smaller learning rate is advised") {
  const auto spoil = gradient("head.bias", infinity);
  const std::string first = report_after(spoil);
  CHECK(first.find("Try a smaller") == std::string::npos);
  CHECK(first.find("last finite loss") == std::string::npos);
  CHECK(first.ends_with(
      "No update was made from the initial weights, so that --lr is not the cause"));
  const std::string later = report_after(spoil, "deltanet", false);
  CHECK(later.ends_with("last finite loss 0.5. Try a smaller --lr or --clip 1"));
}
