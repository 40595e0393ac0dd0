// What the contract does not ask of block_recurrent: the paths of its gradients, the controls of the paper, the layers
// that its name stands for.
#include "reference/block_recurrent.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "base/gradient_check.hpp"
#include "support/cell_fixture.hpp"

using rlt::Extent;
using rlt::Index;
using support::CellFixture;
using support::largest_difference;
using support::Variant;
using Numbers = std::vector<double>;

namespace {

constexpr double double_tolerance = 1e-10;  // double against double: rounding alone
constexpr rlt::GradientTolerance tolerance;

Variant variant_of(rlt::OptionValues options = {}, Index width = 12, Index heads = 2) {
  options.try_emplace("window", "5");
  options.try_emplace("states", "3");
  rlt::CellConfig config{.d_model = width, .heads = heads, .options = std::move(options)};
  return {"block_recurrent", rlt::complete("block_recurrent", config)};
}

double size_of(const double* numbers, Index count) {
  double sum = 0;
  for (Index i = 0; i < count; ++i) sum += std::abs(numbers[i]);
  return sum;
}

/// The largest sum of sizes over the gradients of what only the states' update uses: Q, Q2, projection, gate, scales;
/// or the smallest.
std::pair<double, double> horizontal_gradients(CellFixture<double>& fixture) {
  const Index width = fixture.width();
  Numbers sizes;
  for (const char* const name :
       {"state.self_scale", "state.token_scale", "state.out.weight", "state.gate.bias"}) {
    const rlt::Parameter<double>& parameter = fixture.named(name);
    sizes.push_back(size_of(parameter.gradient, parameter.count()));
  }
  const double* const slow = fixture.named("state.slow.weight").gradient;
  for (const Index vector : {0, 3}) {  // Q and Q2
    double sum = 0;
    for (Index row = 0; row < width; ++row) {
      sum += size_of(slow + (row * 4 + vector) * width, width);
    }
    sizes.push_back(sum);
  }
  return {std::ranges::min(sizes), std::ranges::max(sizes)};
}

}  // namespace

// Where one fact is wrong (which state is read, the place of ID, an epsilon), values like these show it.
TEST_CASE("block recurrent: scales of either sign, as in the reference, and their gradients") {
  const Extent extent{2, 23};
  for (const char* const configuration : {"skip", "dual"}) {
    CellFixture<double> fixture(variant_of({{"configuration", configuration}}), extent);
    for (const char* const name :
         {"scale", "read_scale", "state.self_scale", "state.token_scale"}) {
      double* const alpha = fixture.named(name).value;
      alpha[0] = -2.5;
      alpha[1] = 1.7;
    }
    for (Index i = 0; i < 36; ++i) fixture.named("state.initial").value[i] *= 0.01;  // epsilon
    Numbers x = fixture.random("x", extent.rows() * fixture.width());
    const Numbers y = fixture.forward(extent, x);
    const std::size_t steps = 23;
    reference::Array2 sequence = xt::zeros<double>({steps, std::size_t{12}});
    std::copy_n(x.begin(), sequence.size(), sequence.begin());
    const reference::Array2 expected = reference::block_recurrent(
        fixture.config, reference::parameters_of(fixture.parameters), sequence);
    CHECK(largest_difference(Numbers(y.begin(), y.begin() + 23 * 12),
                             Numbers(expected.begin(), expected.end())) < double_tolerance);
    Numbers probe = fixture.random("probe", extent.rows() * fixture.width());
    const auto loss = [&] {
      const Numbers out = fixture.forward(extent, x);
      double sum = 0;
      for (std::size_t i = 0; i < out.size(); ++i) sum += out[i] * probe[i];
      return sum;
    };
    fixture.backward(extent, x, probe);
    const Numbers gradients = fixture.gradients();
    for (const rlt::Parameter<double>& parameter : fixture.parameters.all()) {
      CAPTURE(parameter.name);
      for (Index i = 0; i < parameter.count(); i += std::max<Index>(1, parameter.count() / 11)) {
        CHECK(rlt::gradient_error(parameter.value[i], gradients[parameter.offset + i], loss) <
              tolerance.error);
      }
    }
  }
}

TEST_CASE("block recurrent: in segments of one block nothing trains the states' update") {
  for (const Index blocks : {1, 2}) {
    const Extent extent{3, 5 * blocks};
    CellFixture<double> fixture(variant_of(), extent);
    Numbers x = fixture.random("x", extent.rows() * fixture.width());
    Numbers dy = fixture.random("dy", extent.rows() * fixture.width());
    Numbers state = fixture.fresh_state(3, 100);
    for (int segment = 0; segment < 2; ++segment) {
      CAPTURE(segment);
      fixture.parameters.zero_gradients();
      fixture.forward(extent, x, {.state = fixture.state_matrix(state, 3)});
      fixture.backward(extent, x, dy);
      const auto [smallest, largest] = horizontal_gradients(fixture);
      if (blocks == 1) CHECK(largest == 0);
      if (blocks == 2) CHECK(smallest > 1e-6);
      CHECK(size_of(fixture.named("state.ids").gradient, 36) > 1e-4);
    }
  }
}

TEST_CASE("block recurrent: gradients flow through the states inside a segment, not into it") {
  const Extent extent{1, 20};
  CellFixture<double> fixture(variant_of(), extent);
  const Index width = fixture.width();
  Numbers x = fixture.random("x", 20 * width);
  Numbers dy(x.size(), 0.0);
  std::fill(dy.end() - width, dy.end(), 1.0);
  const std::uint8_t starts[20] = {1};
  // Step 2 is further away than any window reaches: only the states carry it to the last block.
  Numbers state = fixture.fresh_state(1, 100);
  fixture.forward(extent, x, {.state = fixture.state_matrix(state, 1), .starts = starts});
  const Numbers dx = fixture.backward(extent, x, dy);
  CHECK(size_of(dx.data() + 2 * width, width) > 1e-7);
  CHECK(size_of(fixture.named("state.initial").gradient, 36) > 1e-7);
  // Behind a carried state the initial one gets nothing: no gradient passes the border.
  fixture.parameters.zero_gradients();
  fixture.forward(extent, x, {.state = fixture.state_matrix(state, 1)});
  fixture.backward(extent, x, dy);
  CHECK(size_of(fixture.named("state.initial").gradient, 36) == 0);
}

TEST_CASE("block recurrent: cleared at every segment, the states begin anew, the keys go on") {
  const Extent extent{2, 10};
  CellFixture<double> kept(variant_of(), extent);
  CellFixture<double> cleared(variant_of({{"clear_state", "on"}}), extent);
  const Index width = kept.width();
  Numbers x = kept.random("x", extent.rows() * width);
  Numbers state = kept.fresh_state(2, 100);
  kept.forward(extent, x, {.state = kept.state_matrix(state, 2)});
  Numbers other = state;
  Numbers reset = state;
  const Numbers y = cleared.forward(extent, x, {.state = cleared.state_matrix(other, 2)});
  CHECK(largest_difference(kept.forward(extent, x, {.state = kept.state_matrix(state, 2)}), y) >
        1e-5);
  const double* const initial = kept.named("state.initial").value;
  for (Index b = 0; b < 2; ++b) {
    std::copy_n(initial, 36, kept.state_matrix(reset, 2).row(b) + 1);
  }
  CHECK(kept.forward(extent, x, {.state = kept.state_matrix(reset, 2)}) == y);
}

TEST_CASE("block recurrent: the state names its pieces; a fresh one has the initial states") {
  CellFixture<double> fixture(variant_of(), {1, 3});
  const rlt::StateLayout layout = fixture.cell->state_layout(100);
  REQUIRE(layout.pieces.size() == 4);
  CHECK(layout.pieces[0].name == "unfinished");
  CHECK(layout.pieces[1].name == "states");
  CHECK(layout.pieces[1].shape == std::vector<Index>{3, 12});
  CHECK(layout.pieces[2].name == "keys");
  CHECK(layout.pieces[2].shape == std::vector<Index>{10, 12});
  Numbers state = fixture.fresh_state(1, 100);
  CHECK(std::equal(state.begin() + 1, state.begin() + 37, fixture.named("state.initial").value));
  // Three steps of a block of five wait for the rest.
  Numbers x = fixture.random("x", 3 * 12);
  fixture.forward({1, 3}, x, {.state = fixture.state_matrix(state, 1)});
  CHECK(state[0] == 3);
  CHECK(std::equal(state.begin() + 1, state.begin() + 37, fixture.named("state.initial").value));
  fixture.forward({1, 3}, x, {.state = fixture.state_matrix(state, 1)});
  CHECK(state[0] == 1);
  CHECK_FALSE(
      std::equal(state.begin() + 1, state.begin() + 37, fixture.named("state.initial").value));
}

TEST_CASE("block recurrent: one layer is recurrent, the third from the top, the others windows") {
  const auto layer = [](rlt::OptionValues options) {
    return rlt::LayerConfig{.cell = "block_recurrent",
                            .config = {.d_model = 12, .heads = 2, .options = std::move(options)}};
  };
  const auto recurrent = [&](const rlt::LayerConfig& of, Index count) {
    std::vector<Index> places;
    const std::vector<rlt::LayerConfig> layers = rlt::expand(of, count);
    CHECK(std::ssize(layers) == count);
    for (Index i = 0; i < count; ++i) {
      CHECK(layers[i].config.text("window") == "9");
      if (layers[i].cell == "block_recurrent")
        places.push_back(i);
      else
        CHECK(layers[i].cell == "sliding_window");
    }
    return places;
  };
  CHECK(recurrent(layer({{"window", "9"}}), 12) == std::vector<Index>{9});
  CHECK(recurrent(layer({{"window", "9"}}), 4) == std::vector<Index>{1});
  CHECK(recurrent(layer({{"window", "9"}}), 2) == std::vector<Index>{0});
  CHECK(recurrent(layer({{"window", "9"}, {"recurrent_layer", "1"}}), 4) == std::vector<Index>{3});
}

TEST_CASE("block recurrent: parameters beyond those of a window layer are those of the paper") {
  constexpr Index D = 24;
  constexpr Index H = 3;
  constexpr Index S = 7;
  constexpr Index F = 4 * D;
  constexpr Index window_layer = 4 * D * D + H + 32 * H;
  // q2, the wider W_out and a scale; Q, K, V, Q2, the gain, ID and the initial value, two scales
  constexpr Index always = 2 * D * D + H + 4 * D * D + D + 2 * S * D + 2 * H;
  const auto extra = [](const char* gate, const char* configuration) {
    CellFixture<double> fixture(
        variant_of({{"states", "7"}, {"gate", gate}, {"configuration", configuration}}, D, H),
        {1, 1});
    return fixture.parameters.count() - window_layer - always;
  };
  CHECK(extra("fixed", "skip") == 2 * D * D + D);
  CHECK(extra("fixed", "dual") == 2 * D * D + D + D + 2 * D * F + D);
  CHECK(extra("fixed", "single") == 2 * D * F + D * F + D);
  CHECK(extra("lstm", "skip") == 2 * D * D + 2 * (2 * D * D + D));
  CHECK(extra("lstm", "single") == 3 * D * F + 2 * (F * D + D));
  CHECK(extra("full", "skip") == 2 * D * D + 2 * D * D + D);
}
