// What the contract does not ask of transformer and transformer_preln: dropout on the attention weights,
// the cache of keys and values, and the positions.
#include <doctest/doctest.h>

#include <cmath>

#include "base/gradient_check.hpp"
#include "mixing/attention.hpp"
#include "support/cell_fixture.hpp"
#include "support/message.hpp"

using rlt::Dropout;
using rlt::Extent;
using rlt::Index;
using rlt::Pass;
using rlt::Positions;
using rlt::Rng;
using support::CellFixture;
using support::largest_difference;
using support::Variant;

namespace {

// double against double: rounding alone
constexpr double double_tolerance = 1e-10;
// central differences in double with step 1e-5
constexpr rlt::GradientTolerance tolerance;

Variant variant_of(const std::string& cell, Positions positions = Positions::none, Index width = 12,
                   Index heads = 2) {
  rlt::CellConfig config{.d_model = width, .heads = heads, .positions = positions, .options = {}};
  return {cell, rlt::complete(cell, config)};
}

/// Compares some entries of dx and of all parameter gradients with central differences; `forward`
/// computes y for the fixture's present parameters and the present x.
template <typename Forward>
void check_gradients(CellFixture<double>& fixture, Extent extent, std::vector<double>& x,
                     const Forward& forward) {
  std::vector<double> probe = fixture.random("probe", extent.rows() * fixture.width());
  const auto loss = [&] {
    const std::vector<double> y = forward();
    double sum = 0;
    for (std::size_t i = 0; i < y.size(); ++i) sum += y[i] * probe[i];
    return sum;
  };
  loss();
  const std::vector<double> dx = fixture.backward(extent, x, probe);
  const std::vector<double> gradients = fixture.gradients();
  const auto check = [&](double& entry, double gradient, const std::string& name) {
    CHECK_MESSAGE(rlt::gradient_error(entry, gradient, loss) < tolerance.error, name);
  };
  for (const rlt::Parameter<double>& parameter : fixture.parameters.all()) {
    for (Index i = 0; i < parameter.count(); i += std::max<Index>(1, parameter.count() / 23)) {
      check(parameter.value[i], gradients[parameter.offset + i], parameter.name);
    }
  }
  for (std::size_t i = 0; i < x.size(); i += 41) check(x[i], dx[i], "x");
}

std::vector<double> part(const std::vector<double>& x, Extent whole, Index width, Index from,
                         Index steps) {
  std::vector<double> piece;
  for (Index b = 0; b < whole.batch; ++b) {
    const auto first = x.begin() + (b * whole.steps + from) * width;
    piece.insert(piece.end(), first, first + steps * width);
  }
  return piece;
}

}  // namespace

TEST_CASE("transformer: gradients equal central differences with dropout on the weights") {
  const Extent extent{3, 37};
  CellFixture<double> fixture(variant_of("transformer", Positions::alibi), extent);
  std::vector<double> x = fixture.random("x", extent.rows() * fixture.width());
  const Pass<double> pass{.dropout = {.rate = 0.3, .key = Rng(5)}};
  CHECK(fixture.forward(extent, x, pass) != fixture.forward(extent, x));
  check_gradients(fixture, extent, x, [&] { return fixture.forward(extent, x, pass); });
}

TEST_CASE("transformer_preln: drops nothing inside the cell") {
  const Extent extent{3, 7};
  CellFixture<double> fixture(variant_of("transformer_preln"), extent);
  std::vector<double> x = fixture.random("x", extent.rows() * fixture.width());
  const Pass<double> pass{.dropout = {.rate = 0.3, .key = Rng(5)}};
  CHECK(fixture.forward(extent, x, pass) == fixture.forward(extent, x));
}

TEST_CASE("transformer: dropout on the weights keeps the expected output") {
  const Extent extent{2, 9};
  CellFixture<double> fixture(variant_of("transformer"), extent);
  std::vector<double> x = fixture.random("x", extent.rows() * fixture.width());
  const std::vector<double> expected = fixture.forward(extent, x);
  constexpr int draws = 20000;
  std::vector<double> mean(expected.size(), 0.0);
  for (int i = 0; i < draws; ++i) {
    const Dropout dropout{.rate = 0.2, .key = Rng(5).stream(static_cast<std::uint64_t>(i))};
    const std::vector<double> y = fixture.forward(extent, x, {.dropout = dropout});
    for (std::size_t j = 0; j < y.size(); ++j) mean[j] += y[j] / draws;
  }
  CHECK(largest_difference(mean, expected) <
        0.03);  // five standard errors: values of 1, sqrt(0.25 / 20000)
}

TEST_CASE("transformer: gradients are right behind a cache, also where a start replaces its rows") {
  const Extent past{3, 21};
  const Extent extent{3, 37};
  for (const Positions positions : {Positions::none, Positions::alibi, Positions::rotary}) {
    CellFixture<double> fixture(variant_of("transformer", positions), extent);
    std::vector<double> before = fixture.random("before", past.rows() * fixture.width());
    std::vector<double> x = fixture.random("x", extent.rows() * fixture.width());
    std::vector<std::uint8_t> starts(static_cast<std::size_t>(extent.rows()), 0);
    starts[1 * extent.steps + 20] = 1;  // the second sequence: 17 of 21 cached rows are replaced
    starts[2 * extent.steps + 3] = 1;   // the third: all
    std::vector<double> state = fixture.fresh_state(3, 58);
    fixture.forward(past, before, {.state = fixture.state_matrix(state, 3)});
    std::vector<double> used;
    check_gradients(fixture, extent, x, [&] {
      used = state;  // the same past for every probe; it stays valid until backward
      return fixture.forward(extent, x,
                             {.state = fixture.state_matrix(used, 3), .starts = starts.data()});
    });
  }
}

TEST_CASE("transformer: many segments with a cache over several chunks of keys equal the whole") {
  const Extent whole{2, 203};
  for (const Positions positions : {Positions::none, Positions::alibi, Positions::rotary}) {
    CellFixture<double> fixture(variant_of("transformer_preln", positions), whole);
    const std::vector<double> x = fixture.random("x", whole.rows() * fixture.width());
    std::vector<double> all = x;
    std::vector<std::uint8_t> starts(static_cast<std::size_t>(whole.rows()), 0);
    starts[100] = 1;
    starts[203 + 71] = 1;
    starts[203 + 75] = 1;
    const std::vector<double> expected = fixture.forward(whole, all, {.starts = starts.data()});
    std::vector<double> state = fixture.fresh_state(2, 128);
    Index from = 0;
    for (const Index steps : {70, 1, 40, 92}) {
      const Extent extent{2, steps};
      std::vector<double> piece = part(x, whole, fixture.width(), from, steps);
      std::vector<std::uint8_t> marks;
      for (Index b = 0; b < 2; ++b) {
        const auto first = starts.begin() + b * whole.steps + from;
        marks.insert(marks.end(), first, first + steps);
      }
      const std::vector<double> y = fixture.forward(
          extent, piece, {.state = fixture.state_matrix(state, 2), .starts = marks.data()});
      CHECK(largest_difference(y, part(expected, whole, fixture.width(), from, steps)) <
            double_tolerance);
      from += steps;
    }
    CHECK(state[0] == 103);
  }
}

TEST_CASE(
    "transformer: a full cache is an error that says both lengths and leaves the state alone") {
  const Extent extent{2, 7};
  CellFixture<double> fixture(variant_of("transformer"), extent);
  std::vector<double> x = fixture.random("x", extent.rows() * fixture.width());
  std::vector<double> state = fixture.fresh_state(2, 10);
  const Pass<double> pass{.state = fixture.state_matrix(state, 2)};
  fixture.forward(extent, x, pass);
  const std::vector<double> full = state;
  CHECK(rlt::test::error_of([&] { fixture.forward(extent, x, pass); }) ==
        "1: attention cache: it holds 10 steps, the sequence has come to 14; carry a state for a "
        "longer context");
  CHECK(state == full);
  std::vector<std::uint8_t> starts(14, 0);
  starts[2] = starts[7] = 1;  // a start makes room
  fixture.forward(extent, x, {.state = pass.state, .starts = starts.data()});
  CHECK(state[0] == 5);
  CHECK(state[static_cast<std::size_t>(fixture.cell->state_size(10))] == 7);
}

TEST_CASE("transformer: the state is a count and 2 D numbers for each step of context") {
  const CellFixture<float> fixture(variant_of("transformer"), {1, 1});
  CHECK(fixture.cell->state_size(0) == 1);
  CHECK(fixture.cell->state_size(50) == 1 + 2 * 12 * 50);
}

TEST_CASE(
    "transformer: alibi's slopes are those of the paper for 8 heads, and its formula for others") {
  const std::vector<double> eight = {0.5,     0.25,     0.125,     0.0625,
                                     0.03125, 0.015625, 0.0078125, 0.00390625};
  for (Index h = 1; h <= 8; ++h) CHECK(rlt::alibi_slope(h, 8) == eight[h - 1]);
  CHECK(rlt::alibi_slope(1, 16) == doctest::Approx(std::sqrt(0.5)));
  CHECK(rlt::alibi_slope(2, 3) == doctest::Approx(std::pow(2.0, -16.0 / 3.0)));
}

TEST_CASE("rotary: the product of a query and a key depends on their distance alone") {
  for (const Index d : {2, 7, 20, 64}) {
    const rlt::Rotary rotary(d);
    const auto product = [&](Index position_q, Index position_k) {
      std::vector<double> q(static_cast<std::size_t>(d));
      std::vector<double> k(q.size());
      for (Index i = 0; i < d; ++i) {
        q[i] = Rng(1).uniform(i) - 0.5;
        k[i] = Rng(2).uniform(i) - 0.5;
      }
      rotary.turn(position_q, 1, q.data());
      rotary.turn(position_k, 1, k.data());
      double sum = 0;
      for (Index i = 0; i < d; ++i) sum += q[i] * k[i];
      return sum;
    };
    CHECK(product(5, 2) == doctest::Approx(product(1003, 1000)).epsilon(1e-12));
    CHECK(product(5, 2) != doctest::Approx(product(5, 3)).epsilon(1e-6));
  }
}

TEST_CASE("rotary: turning back undoes the turn, and an odd head keeps its last component") {
  const rlt::Rotary rotary(5);
  const std::vector<double> x = {1, 2, 3, 4, 5, -1, -2, -3, -4, -5};
  std::vector<double> turned = x;
  rotary.turn(17, 2, turned.data());
  CHECK(turned[0] == doctest::Approx(std::cos(17.0) - 2 * std::sin(17.0)).epsilon(1e-12));
  CHECK(turned[4] == 5);
  CHECK(turned[9] == -5);
  rotary.turn_back(17, 2, turned.data());
  CHECK(largest_difference(turned, x) < double_tolerance);
}

TEST_CASE(
    "transformer: parameter counts are those of the papers' table, less norms and feed-forward") {
  const auto count = [](const std::string& cell) {
    rlt::ParameterSet<float> parameters;
    rlt::make_cell<float>(cell, variant_of(cell, Positions::none, 256, 16).config)
        ->declare(parameters, "cell");
    return parameters.count();
  };
  CHECK(count("transformer") == 4 * 256 * 256 + 4 * 256);
  CHECK(count("transformer_preln") == 4 * 256 * 256);
}
