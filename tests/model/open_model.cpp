// A model at its open ends: tokens and real vectors in, layers of different cells, several heads, real targets.
#include <doctest/doctest.h>

#include <limits>

#include "base/gradient_check.hpp"
#include "losses/squared_error.hpp"
#include "model/training_step.hpp"
#include "support/numbers.hpp"

using namespace rlt;
using support::largest_difference;
using support::numbers;

namespace {

constexpr Extent extent{3, 7};
constexpr Index features = 5;

/// Outputs of two heads, 2 and 1 numbers; sinusoidal positions count on in the state.
ModelConfig open_config(Index vocabulary) {
  const auto layer = [](const char* cell, const char* block) {
    return LayerConfig{
        .cell = cell,
        .config = {.d_model = 6, .heads = 2, .positions = Positions::none, .options = {}},
        .block = block,
        .ff = 2};
  };
  return complete(ModelConfig{
      .input = {.vocabulary = vocabulary, .features = features, .positions = Positions::sinusoidal},
      .layers = {layer("rdn", ""), layer("lstm", "plain"), layer("transformer", "prenorm")},
      .heads = {{"first", 2}, {"second", 1}}});
}

Batch open_batch(Index targets) {
  Batch batch(extent, features, targets);
  batch.reset(extent.batch, extent.steps);
  const Rng rng(9);
  Index draw = 0;
  const auto number = [&] { return static_cast<float>(2 * rng.uniform(draw++) - 1); };
  for (Index b = 0; b < extent.batch; ++b) {
    Example example;
    for (Index t = 0; t < extent.steps - b; ++t) {  // padded: nothing is asked there
      example.tokens.push_back(static_cast<int>(rng.below(draw++, 4)));
      for (Index f = 0; f < features; ++f) example.reals.push_back(number());
      for (Index k = 0; k < targets; ++k) example.real_targets.push_back(number());
    }
    batch.set(b, example);
  }
  batch.mark_start(1, 3);
  return batch;
}

/// About nine entries of every parameter against central differences of a squared error on all outputs.
void check_gradients(const ModelConfig& config, Index targets = 3) {
  SequenceModel<double> model(config);
  model.parameters().initialize(1);
  model.carve(extent);
  TrainingStep<double> step(model, std::make_unique<SquaredError<double>>(model.outputs()));
  const Batch batch = open_batch(targets);
  const auto loss = [&] { return step.run(batch, {}).loss_per_token(); };
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
}

}  // namespace

TEST_CASE("open model: gradients of a squared error on two heads equal central differences") {
  for (const Index vocabulary : {0, 4}) {
    CAPTURE(vocabulary);
    check_gradients(open_config(vocabulary));
  }
}

// Tied, the table gets the gradients of both its uses; the norms are those of the layers and of the top.
TEST_CASE("open model: gradients with tied embeddings, RMS norms and scaled outputs") {
  const LayerConfig layer{.cell = "lstm",
                          .config = {.d_model = 6, .heads = 2, .options = {}},
                          .block = "prenorm_bare",
                          .ff = 2,
                          .norm = NormForm::rms};
  const ModelConfig config =
      complete(ModelConfig{.input = {.vocabulary = 4, .features = features},
                           .layers = {layer, layer},
                           .heads = {{.name = "head", .outputs = 4, .tied = true, .scale = 0.4}}});
  const SequenceModel<double> model(config);
  for (const Parameter<double>& parameter : model.parameters().all()) {
    CHECK(!parameter.name.starts_with("head"));
    CHECK(!parameter.name.ends_with("norm.bias"));
  }
  check_gradients(config, 4);
}

TEST_CASE("open model: a tied head answers with input tokens, by one map") {
  const auto config = [](const HeadConfig& head) {
    return ModelConfig{
        .input = {.vocabulary = 4},
        .layers = {{.cell = "lstm", .config = {.d_model = 6, .heads = 2, .options = {}}}},
        .heads = {head}};
  };
  CHECK_NOTHROW(complete(config({.name = "head", .outputs = 4, .tied = true})));
  CHECK_THROWS_AS(complete(config({.name = "head", .outputs = 3, .tied = true})), Error);
  CHECK_THROWS_AS(complete(config({.name = "head", .outputs = 4, .hidden = 2, .tied = true})),
                  Error);
}

TEST_CASE("open model: layers of different cells stream token by token as they read the whole") {
  SequenceModel<double> model(open_config(4));
  model.parameters().initialize(1);
  model.carve(extent);
  const Batch batch = open_batch(3);
  const Inputs all = batch.inputs();
  Matrix<double> outputs = model.forward(all, {.starts = batch.starts()});
  const std::vector<double> whole(outputs.data, outputs.data + outputs.rows * outputs.cols);
  CHECK(outputs.cols == 3);

  State<double> state = model.fresh_state(extent.batch, extent.steps);
  std::vector<double> streamed(whole.size());
  for (Index t = 0; t < extent.steps; ++t) {
    std::vector<int> tokens;
    std::vector<float> reals;
    std::vector<std::uint8_t> starts;
    for (Index b = 0; b < extent.batch; ++b) {
      const Index row = b * extent.steps + t;
      tokens.push_back(all.tokens[row]);
      reals.insert(reals.end(), all.reals.row(row), all.reals.row(row) + features);
      starts.push_back(batch.starts()[row]);
    }
    outputs = model.forward(
        {.extent = {extent.batch, 1},
         .tokens = tokens.data(),
         .reals = {reals.data(), extent.batch, features}},
        {.state = &state, .starts = starts.data(), .keep = Pass<double>::Keep::nothing});
    for (Index b = 0; b < extent.batch; ++b) {
      std::copy_n(outputs.row(b), 3, streamed.begin() + (b * extent.steps + t) * 3);
    }
  }
  CHECK(largest_difference(streamed, whole) < 1e-12);
}

TEST_CASE("open model: the state lists the pieces of every layer and of the input") {
  const SequenceModel<float> model(open_config(0));
  const std::vector<StateLayout> parts = model.state_layout(10);
  REQUIRE(parts.size() == 4);
  CHECK(parts[0].copies == 2);
  CHECK(parts[0].pieces[0].name == "W");
  CHECK(parts[0].pieces[0].shape == std::vector<Index>{3, 3});
  CHECK(parts[1].pieces[1].name == "c");
  CHECK(parts[2].pieces[1].name == "keys");
  CHECK(parts[2].pieces[1].shape == std::vector<Index>{10, 6});
  CHECK(parts[3].pieces[0].name == "position");
  CHECK(model.state_size(10) == 2 * (9 + 3) + 12 + 1 + 2 * 60 + 1);
}

// Real vectors enter through relu(W r + b), with tokens and without, or are read by the first cell itself.
TEST_CASE("open model: gradients of every way to read real numbers equal central differences") {
  for (const auto& [form, vocabulary] :
       {std::pair{RealInput::relu, 0}, {RealInput::relu, 4}, {RealInput::direct, 0}}) {
    CAPTURE(to_string(form));
    CAPTURE(vocabulary);
    const CellConfig sizes{.d_model = 6, .heads = 2, .options = {}};
    check_gradients(complete(
        ModelConfig{.input = {.vocabulary = vocabulary, .features = features, .real_input = form},
                    .layers = {{.cell = "gru", .config = sizes}, {.cell = "lstm", .config = sizes}},
                    .heads = {{"first", 2, 5}, {"second", 1}}}));
  }
}

TEST_CASE("open model: only cells of any width read real numbers themselves") {
  const auto config = [](const char* cell, Index vocabulary) {
    return ModelConfig{
        .input = {.vocabulary = vocabulary, .features = 5, .real_input = RealInput::direct},
        .layers = {{.cell = cell, .config = {.d_model = 6, .heads = 2, .options = {}}}},
        .heads = {{"first", 2}}};
  };
  CHECK_NOTHROW(complete(config("gru", 0)));
  CHECK_THROWS_AS(complete(config("deltanet", 0)), Error);
  CHECK_THROWS_AS(complete(config("gru", 4)), Error);
  // Unasked, a cell that could read them itself has them added to the tokens.
  ModelConfig unasked = config("gru", 4);
  unasked.input.real_input = std::nullopt;
  CHECK(complete(unasked).input.real_input == RealInput::linear);
  unasked.input.vocabulary = 0;
  CHECK(complete(unasked).input.real_input == RealInput::direct);
}
