// What the contract does not ask of sliding_window and transformer_xl: who sees whom, null keys, scales of either sign,
// and how far gradients go.
#include "reference/sliding_window.hpp"

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

Variant variant_of(const std::string& window, Index width = 12, Index heads = 2) {
  rlt::CellConfig config{.d_model = width, .heads = heads, .options = {{"window", window}}};
  return {"sliding_window", rlt::complete("sliding_window", config)};
}

}  // namespace

TEST_CASE("sliding window: a step sees exactly the W steps before it, not itself") {
  const Extent extent{1, 17};
  CellFixture<double> fixture(variant_of("5"), extent);
  const Index width = fixture.width();
  Numbers x = fixture.random("x", extent.rows() * width);
  const Numbers before = fixture.forward(extent, x);
  CHECK(std::all_of(before.begin(), before.begin() + width, [](double y) { return y == 0; }));
  constexpr Index changed = 6;
  // What step 6 asks does not depend on its keys: so only its value and key may act, on later steps.
  const Index columns = 3 * width;
  rlt::Parameter<double> slow = fixture.named("slow.weight");
  for (Index row = 0; row < width; ++row) {
    std::fill_n(slow.value + row * columns, width, 0.0);  // W_q
  }
  const Numbers still = fixture.forward(extent, x);
  for (Index c = 0; c < width; ++c) x[changed * width + c] += 0.5;
  const Numbers after = fixture.forward(extent, x);
  for (Index t = 0; t < extent.steps; ++t) {
    CAPTURE(t);
    const bool same = std::equal(still.begin() + t * width, still.begin() + (t + 1) * width,
                                 after.begin() + t * width);
    CHECK(same == (t <= changed || t > changed + 5));
  }
}

TEST_CASE("sliding window: keys before the start weigh by their bias and give nothing") {
  // One key, W = 2: with q . k = 0 its weight is e^b1 / (e^b1 + e^b2).
  CellFixture<double> fixture(variant_of("2", 3, 1), {1, 2});
  const rlt::Parameter<double>& slow = fixture.named("slow.weight");
  for (Index row = 0; row < 3; ++row) std::fill_n(slow.value + row * 9, 6, 0.0);  // q = k = 0
  const rlt::Parameter<double>& out = fixture.named("out.weight");
  const double* const table = fixture.named("distance").value;
  const double a = std::abs(*fixture.named("scale").value);
  Numbers x = fixture.random("x", 6);
  const Numbers y = fixture.forward({1, 2}, x);
  const double weight = std::exp(a * table[1]) / (std::exp(a * table[1]) + std::exp(a * table[2]));
  for (Index o = 0; o < 3; ++o) {
    double expected = 0;
    for (Index c = 0; c < 3; ++c) {
      double v = 0;
      for (Index i = 0; i < 3; ++i) v += x[i] * slow.value[i * 9 + 6 + c];
      expected += weight * v * out.value[c * 3 + o];
    }
    CHECK(y[3 + o] == doctest::Approx(expected).epsilon(1e-12));
  }
}

TEST_CASE("sliding window: scales of either sign, by their size alone") {
  const Extent extent{2, 23};
  CellFixture<double> fixture(variant_of("7"), extent);
  double* const alpha = fixture.named("scale").value;
  alpha[0] = -3.5;
  alpha[1] = 0.4;
  Numbers x = fixture.random("x", extent.rows() * fixture.width());
  Numbers probe = fixture.random("probe", extent.rows() * fixture.width());
  const Numbers y = fixture.forward(extent, x);
  const std::size_t steps = 23;
  reference::Array2 sequence = xt::zeros<double>({steps, std::size_t{12}});
  std::copy_n(x.begin(), sequence.size(), sequence.begin());
  const reference::Array2 expected = reference::sliding_window(
      fixture.config, reference::parameters_of(fixture.parameters), sequence);
  CHECK(largest_difference(Numbers(y.begin(), y.begin() + 23 * 12),
                           Numbers(expected.begin(), expected.end())) < double_tolerance);
  const auto loss = [&] {
    const Numbers out = fixture.forward(extent, x);
    double sum = 0;
    for (std::size_t i = 0; i < out.size(); ++i) sum += out[i] * probe[i];
    return sum;
  };
  fixture.backward(extent, x, probe);
  for (const char* const name : {"scale", "distance"}) {
    const rlt::Parameter<double>& parameter = fixture.named(name);
    for (Index i = 0; i < parameter.count(); ++i) {
      CHECK(rlt::gradient_error(parameter.value[i], parameter.gradient[i], loss) < tolerance.error);
    }
  }
  // No step sees itself, and a window of 7 has no further distances.
  const double* const dtable = fixture.named("distance").gradient;
  for (Index bucket = 0; bucket < 32; ++bucket) {
    CHECK((dtable[bucket] == 0) == (bucket == 0 || bucket > 7));
  }
}

TEST_CASE("sliding window: gradients reach back over windows in a segment, not over its border") {
  const Extent whole{1, 10};
  const Extent half{1, 5};
  CellFixture<double> fixture(variant_of("5"), whole);
  const Index width = fixture.width();
  Numbers x = fixture.random("x", 10 * width);
  Numbers dy(x.size(), 0.0);
  std::fill(dy.end() - width, dy.end(), 1.0);  // the last step alone is scored
  fixture.forward(whole, x);
  const Numbers dx = fixture.backward(whole, x, dy);
  const auto size = [&](Index t) {
    double sum = 0;
    for (Index c = 0; c < width; ++c) sum += std::abs(dx[t * width + c]);
    return sum;
  };
  CHECK(size(3) == 0);
  CHECK(size(4) > 1e-4);  // the last of the first window
  const Numbers flowing = fixture.gradients();

  Numbers first(x.begin(), x.begin() + 5 * width);
  Numbers second(x.begin() + 5 * width, x.end());
  Numbers last_dy(dy.begin() + 5 * width, dy.end());
  Numbers state = fixture.fresh_state(1, 10);
  fixture.parameters.zero_gradients();
  fixture.forward(half, first, {.state = fixture.state_matrix(state, 1)});
  fixture.forward(half, second, {.state = fixture.state_matrix(state, 1)});
  const Numbers second_dx = fixture.backward(half, second, last_dy);
  CHECK(largest_difference(second_dx, Numbers(dx.begin() + 5 * width, dx.end())) <
        double_tolerance);
  // step 4 trains keys and values in one segment, and does not from the segment before
  CHECK(largest_difference(fixture.gradients(), flowing) > 1e-4);
}

TEST_CASE("sliding window: the state is the window's keys and values, zero in a fresh sequence") {
  CellFixture<double> fixture(variant_of("5"), {1, 3});
  const rlt::StateLayout layout = fixture.cell->state_layout(100);
  REQUIRE(layout.pieces.size() == 2);
  CHECK(layout.pieces[0].name == "keys");
  CHECK(layout.pieces[0].shape == std::vector<Index>{5, 12});
  CHECK(layout.pieces[1].name == "values");
  const Numbers state = fixture.fresh_state(2, 100);
  CHECK(std::ranges::all_of(state, [](double number) { return number == 0; }));
}

TEST_CASE("sliding window: parameter counts are those of the paper's layers") {
  CellFixture<double> fixture(variant_of("64", 24, 3), {1, 1});
  CHECK(fixture.parameters.count() == 4 * 24 * 24 + 3 + 3 * 32);
}

TEST_CASE("sliding window: a window of a hundred starts with uniform attention's size of logits") {
  rlt::ParameterSet<double> parameters;
  const Variant variant = variant_of("100", 24, 3);
  rlt::make_cell<double>("sliding_window", variant.config)->declare(parameters, "cell");
  parameters.allocate();
  parameters.initialize(3);
  double square = 0;
  for (const rlt::Parameter<double>& parameter : parameters.all()) {
    if (parameter.name == "cell.scale") {
      CHECK(std::all_of(parameter.value, parameter.value + 3, [](double a) { return a == 1; }));
    }
    if (parameter.name != "cell.distance") continue;
    for (Index i = 0; i < 96; ++i) square += parameter.value[i] * parameter.value[i] / 96;
  }
  CHECK(square == doctest::Approx(1.0 / 32).epsilon(0.5));  // a variance of 96 draws
}
