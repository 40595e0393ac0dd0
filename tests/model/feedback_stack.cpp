// Block-feedback: a whole stack of block_recurrent layers, block by block.
#include "model/feedback_stack.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "base/gradient_check.hpp"
#include "model/sequence_model.hpp"
#include "reference/block_recurrent.hpp"
#include "support/numbers.hpp"
#include "support/reading.hpp"

using namespace rlt;
using support::largest_difference;
using Numbers = std::vector<double>;
using reference::Array2;

namespace {

constexpr double double_tolerance = 1e-10;  // double against double: rounding alone
constexpr Index window = 4;
constexpr Index width = 12;
constexpr Index vocabulary = 5;
constexpr Index outputs = 7;

ModelConfig config_of(OptionValues options = {}, Index layers = 3) {
  options.try_emplace("window", "4");
  options.try_emplace("states", "3");
  options.try_emplace("feedback", "on");
  options.try_emplace("recurrent_layer", "2");  // from the top: one layer below, one above
  const LayerConfig layer{.cell = "block_recurrent",
                          .config = {.d_model = width, .heads = 2, .options = std::move(options)},
                          .ff = 2};
  return classifier(layer, layers, vocabulary, outputs);
}

/// A model with parameters of all sizes, and what it reads.
struct Stack {
  SequenceModel<double> model;
  support::Reading reading;

  Stack(const ModelConfig& config, Extent extent) : model(config), reading(model, extent) {
    model.parameters().initialize(3);
    for (const Parameter<double>& parameter : model.parameters().all()) {
      const Rng rng = Rng(4).stream(parameter.name);
      for (Index i = 0; i < parameter.count(); ++i) {
        parameter.value[i] += 0.4 * (2 * rng.uniform(i) - 1);
      }
    }
    model.initialize(reading.state);
  }
  const Parameter<double>& named(const std::string& name) const {
    return *std::ranges::find(model.parameters().all(), name, &Parameter<double>::name);
  }
  Numbers read_all(bool carries = false) { return reading.read(0, reading.extent.steps, carries); }
  /// The gradients of all parameters for a sum of the outputs with random weights.
  Numbers gradients(bool carries = false) {
    model.parameters().zero_gradients();
    const Numbers weights = probe();
    if (carries) read_all(true);
    read_all(carries);
    model.backward({.extent = reading.extent, .tokens = reading.tokens.data()},
                   {weights.data(), reading.extent.rows(), outputs});
    return {model.parameters().gradients(),
            model.parameters().gradients() + model.parameters().flat_size()};
  }
  Numbers probe() const { return support::numbers(reading.extent.rows() * outputs, 11); }
};

reference::Parameters parameters_of(const Stack& stack, const std::string& prefix) {
  reference::Parameters parameters;
  for (const Parameter<double>& parameter : stack.model.parameters().all()) {
    if (!parameter.name.starts_with(prefix)) continue;
    parameters.set(parameter.name.substr(prefix.size()), parameter.shape, parameter.value);
  }
  return parameters;
}

/// One sequence from its start, by the definition alone: for every block all layers read everything up to its end
/// anew, every step the states of its own block; then the states are updated.
Array2 slow_logits(const Stack& stack) {
  const std::vector<LayerConfig>& layers = stack.model.config().layers;
  const auto steps = static_cast<std::size_t>(stack.reading.extent.steps);
  const auto w = static_cast<std::size_t>(window);
  const auto d = static_cast<std::size_t>(width);
  const reference::Parameters states = parameters_of(stack, "block.1.cell.");
  const CellConfig& config = layers[1].config;
  const Array2 table = parameters_of(stack, "embedding.").matrix("weight");
  std::vector<Array2> c = {states.matrix("state.initial")};
  Array2 top;
  for (std::size_t end = std::min(w, steps);; end = std::min(end + w, steps)) {
    Array2 x = xt::zeros<double>({end, d});
    for (std::size_t t = 0; t < end; ++t) {
      xt::view(x, t) = xt::view(table, static_cast<std::size_t>(stack.reading.tokens[t]));
    }
    const auto projected = [&](const Array2& value) {
      const Array2 normal = reference::rms_rows(value, states.vector("state.norm.gain"));
      const Array2 u = normal + states.matrix("state.ids");
      const Array2 all = xt::linalg::dot(u, states.matrix("state.slow.weight"));
      return all;
    };
    Array2 keys, values;  // of the tokens, in the recurrent layer
    for (std::size_t l = 0; l < layers.size(); ++l) {
      const reference::Parameters block = parameters_of(stack, fmt::format("block.{}.", l));
      const reference::Parameters cell = parameters_of(stack, fmt::format("block.{}.cell.", l));
      const Array2 normal = reference::rms_rows(x, block.vector("norm.gain"));
      const Array2 slow = xt::linalg::dot(normal, cell.matrix("slow.weight"));
      const Array2 own = reference::window_reads(config, cell, slow);
      const Array2 q2 = reference::unit_heads(config, reference::columns(slow, 3 * d, d));
      Array2 other = xt::zeros<double>({end, d});
      for (std::size_t t = 0; t < end; ++t) {
        const Array2 all = projected(c[t / w]);
        const Array2 k = reference::unit_heads(config, reference::columns(all, d, d));
        const Array2 v = reference::columns(all, 2 * d, d);
        const Array2 q = xt::view(q2, xt::range(t, t + 1));
        const Array2 read = reference::attend(config, q, k, v, cell.vector("read_scale"));
        xt::view(other, t) = xt::view(read, std::size_t{0});
      }
      if (l == 1) {
        keys = reference::unit_heads(config, reference::columns(slow, d, d));
        values = reference::columns(slow, 2 * d, d);
      }
      const Array2 reads = reference::beside(own, other);
      const Array2 middle = x + xt::linalg::dot(reads, cell.matrix("out.weight"));
      const Array2 middle_normal = reference::rms_rows(middle, block.vector("ff.norm.gain"));
      const Array2 h =
          reference::relu_rows(xt::linalg::dot(middle_normal, block.matrix("ff.up.weight")));
      const Array2 y = middle + xt::linalg::dot(h, block.matrix("ff.down.weight"));
      x = y;
    }
    top = x;
    if (end == steps) break;
    Array2 tile_k = xt::zeros<double>({2 * w, d});
    Array2 tile_v = xt::zeros<double>({2 * w, d});
    for (std::size_t i = 0; i < 2 * w; ++i) {
      if (end + i < 2 * w) continue;
      xt::view(tile_k, i) = xt::view(keys, end + i - 2 * w);
      xt::view(tile_v, i) = xt::view(values, end + i - 2 * w);
    }
    const Array2 all = projected(c.back());
    const Array2 q = reference::unit_heads(config, reference::columns(all, 0, d));
    const Array2 k = reference::unit_heads(config, reference::columns(all, d, d));
    const Array2 v = reference::columns(all, 2 * d, d);
    const Array2 q2 = reference::unit_heads(config, reference::columns(all, 3 * d, d));
    const Array2 z1 = reference::attend(config, q, k, v, states.vector("state.self_scale"));
    const Array2 z2 =
        reference::attend(config, q2, tile_k, tile_v, states.vector("state.token_scale"));
    const Array2 next = reference::next_state(config, states, c.back(), reference::beside(z1, z2));
    c.push_back(next);
  }
  const Array2 normal = reference::rms_rows(top, parameters_of(stack, "norm.").vector("gain"));
  const reference::Parameters head = parameters_of(stack, "head.");
  Array2 logits = xt::linalg::dot(normal, head.matrix("weight"));
  for (std::size_t t = 0; t < steps; ++t) xt::view(logits, t) += head.vector("bias");
  return logits;
}

}  // namespace

TEST_CASE("feedback: all layers read the states, as the definition says") {
  Stack stack(config_of(), {2, 15});
  const Numbers logits = stack.read_all();
  const Array2 expected = slow_logits(stack);
  CHECK(largest_difference(Numbers(logits.begin(), logits.begin() + 15 * outputs),
                           Numbers(expected.begin(), expected.end())) < double_tolerance);
}

TEST_CASE("feedback: gradients through states and keys from block to block") {
  for (const char* const configuration : {"skip", "dual"}) {
    for (const Index steps : {7, 16}) {
      Stack stack(config_of({{"configuration", configuration}}), {2, steps});
      stack.reading.starts[5] = 1;  // in the middle of a block
      const Numbers gradients = stack.gradients();
      const Numbers weights = stack.probe();
      const auto loss = [&] {
        const Numbers logits = stack.read_all();
        double sum = 0;
        for (std::size_t i = 0; i < logits.size(); ++i) sum += logits[i] * weights[i];
        return sum;
      };
      // The backward pass has read the starts of the forward pass that `gradients` made.
      for (const Parameter<double>& parameter : stack.model.parameters().all()) {
        CAPTURE(parameter.name);
        for (Index i = 0; i < parameter.count(); i += std::max<Index>(1, parameter.count() / 9)) {
          CHECK(gradient_error(parameter.value[i], gradients[parameter.offset + i], loss) <
                GradientTolerance().error);
        }
      }
    }
  }
}

TEST_CASE("feedback: segments, and steps one by one, equal the whole; a start forgets all before") {
  Stack stack(config_of(), {3, 21});
  stack.reading.starts[21 + 6] = 1;
  stack.reading.starts[2 * 21 + 8] = 1;
  const Numbers whole = stack.read_all();
  for (const std::vector<Index>& borders :
       {std::vector<Index>{0, 8, 16, 21}, {0, 5, 6, 13, 21}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 21}}) {
    stack.model.initialize(stack.reading.state);
    for (std::size_t i = 1; i < borders.size(); ++i) {
      CAPTURE(borders[i]);
      CHECK(largest_difference(stack.reading.read(borders[i - 1], borders[i], true),
                               support::cut(whole, stack.reading.extent, borders[i - 1],
                                            borders[i])) < double_tolerance);
    }
  }
  // What came before the start does not matter.
  for (Index t = 0; t < 6; ++t) {
    int& token = stack.reading.tokens[21 + t];
    token = token == 0 ? 1 : 0;
  }
  const Numbers other = stack.read_all();
  const auto from = static_cast<std::ptrdiff_t>((21 + 6) * outputs);
  CHECK(std::equal(other.begin() + from, other.end(), whole.begin() + from));
  CHECK_FALSE(std::equal(other.begin(), other.begin() + from, whole.begin()));
}

TEST_CASE("feedback: one layer alone reads its own states, with and without") {
  Stack on(config_of({{"recurrent_layer", "1"}}, 1), {2, 14});
  Stack off(config_of({{"recurrent_layer", "1"}, {"feedback", "off"}}, 1), {2, 14});
  CHECK(largest_difference(on.read_all(), off.read_all()) < double_tolerance);
  CHECK(largest_difference(on.gradients(), off.gradients()) < double_tolerance);
}

TEST_CASE("feedback: in segments of one block nothing trains the states' update") {
  for (const Index blocks : {1, 2}) {
    Stack stack(config_of(), {2, window * blocks});
    const Numbers gradients = stack.gradients(true);
    const Parameter<double>& gate = stack.named("block.1.cell.state.gate.bias");
    double size = 0;
    for (Index i = 0; i < gate.count(); ++i) size += std::abs(gradients[gate.offset + i]);
    if (blocks == 1) CHECK(size == 0);
    if (blocks == 2) CHECK(size > 1e-6);
    // Behind a carried state the initial one gets nothing.
    const Parameter<double>& initial = stack.named("block.1.cell.state.initial");
    for (Index i = 0; i < initial.count(); ++i) CHECK(gradients[initial.offset + i] == 0);
  }
}

TEST_CASE("feedback: cleared at every segment, the states begin anew, once a segment") {
  Stack kept(config_of(), {2, 8});
  Stack cleared(config_of({{"clear_state", "on"}}), {2, 8});
  CHECK(kept.read_all(true) == cleared.read_all(true));
  CHECK(largest_difference(kept.read_all(true), cleared.read_all(true)) > 1e-5);
}

TEST_CASE("feedback: the same bits for any number of threads") {
  const int before = thread_count();
  std::vector<Numbers> found;
  for (const int threads : {1, 2, 3}) {
    set_thread_count(threads);
    found.push_back(Stack(config_of(), {5, 13}).gradients());
  }
  set_thread_count(before);
  CHECK(found[0] == found[1]);
  CHECK(found[0] == found[2]);
}

TEST_CASE("feedback: only one layer has states, and a layer of that number must be") {
  const ModelConfig config = config_of();
  REQUIRE(config.layers.size() == 3);
  for (std::size_t l = 0; l < 3; ++l) {
    CHECK(config.layers[l].cell == "block_recurrent");
    CHECK((make_block<double>(config.layers[l])->states() == nullptr) == (l != 1));
  }
  CHECK_THROWS_AS(config_of({{"recurrent_layer", "0"}}), Error);
}
