// What the contract does not ask of agalite: how many cosines there really are, its clock, and its bounds.
#include "reference/agalite.hpp"

#include <doctest/doctest.h>

#include "support/gated_cells.hpp"

using rlt::Extent;
using rlt::Index;
using support::CellFixture;
using support::gated_variant;
using support::largest_difference;
using support::parameter_of;

namespace {

// double against double: rounding alone
constexpr double double_tolerance = 1e-10;

std::vector<double> output(CellFixture<double>& fixture, Extent extent,
                           const rlt::Pass<double>& pass = {}) {
  std::vector<double> x = fixture.random("x", extent.rows() * fixture.width());
  return fixture.forward(extent, x, pass);
}

/// Adds to the bias of every query and key, so that no denominator is small beside the epsilon.
void keep_queries_alive(CellFixture<double>& fixture, Index d, Index eta) {
  const rlt::Matrix<double> slow = parameter_of(fixture, "slow.bias");
  for (Index i = 0; i < slow.cols; ++i) {
    if (i % (5 * d) < 2 * d) slow.data[i] += 3;
  }
  const rlt::Matrix<double> factors = parameter_of(fixture, "features.bias");
  for (Index i = 0; i < factors.cols; ++i) {
    if (i % (3 * eta) < 2 * eta) factors.data[i] += 3;
  }
}

/// The output projection becomes the identity: y is o, all heads side by side. Needs H d = D.
void show_heads(CellFixture<double>& fixture) {
  const rlt::Matrix<double> weight = parameter_of(fixture, "out.weight");
  const rlt::Matrix<double> bias = parameter_of(fixture, "out.bias");
  REQUIRE(weight.rows == weight.cols);
  for (Index i = 0; i < weight.rows; ++i) {
    bias.data[i] = 0;
    for (Index j = 0; j < weight.cols; ++j) weight.row(i)[j] = i == j ? 1 : 0;
  }
}

}  // namespace

TEST_CASE("agalite: parameters and state are those of the paper's size, each cosine held once") {
  constexpr Index width = 128;
  constexpr Index heads = 4;
  constexpr Index d = 64;
  constexpr Index eta = 4;
  CellFixture<float> fixture(gated_variant("agalite", width, heads, {}), {1, 1});
  CHECK(fixture.parameters.count() == width * 5 * heads * d + 5 * heads * d +
                                          width * 3 * heads * eta + 3 * heads * eta +
                                          heads * d * width + width);
  // a layer of the official T-Maze model, less two gates, the feed-forward layer and two norms
  CHECK(fixture.parameters.count() ==
        434608 - 2 * (6 * width * width + width) - 2 * (width * width + width) - 4 * width);
  // and one clock per head
  CHECK(fixture.cell->state_size(1) == heads * d * (2 * eta + 1) + heads);
  for (const auto& [r, channels] :
       {std::pair<Index, Index>{1, 1}, {2, 1}, {3, 2}, {5, 3}, {64, 32}}) {
    const CellFixture<float> other(gated_variant("agalite", 12, 2, {{"r", std::to_string(r)}}),
                                   {1, 1});
    CHECK(other.cell->state_size(1) == 2 * (channels * (eta + 1) * d + eta * d + 1));
  }
}

TEST_CASE("agalite: kernels start orthogonal with gain sqrt(2), each projection as one matrix") {
  CellFixture<double> fixture(gated_variant("agalite", 12, 2, {}), {1, 1});
  fixture.parameters.initialize(3);
  for (const std::string name : {"slow", "features", "out"}) {
    const rlt::Matrix<double> w = parameter_of(fixture, name + ".weight");
    const bool wide = w.rows <= w.cols;
    for (Index a = 0; a < std::min(w.rows, w.cols); ++a) {
      for (Index b = 0; b <= a; ++b) {
        double product = 0;
        for (Index i = 0; i < std::max(w.rows, w.cols); ++i) {
          product += wide ? w.row(a)[i] * w.row(b)[i] : w.row(i)[a] * w.row(i)[b];
        }
        CHECK(product == doctest::Approx(a == b ? 2 : 0).epsilon(double_tolerance));
      }
    }
    const rlt::Matrix<double> bias = parameter_of(fixture, name + ".bias");
    CHECK(std::all_of(bias.data, bias.data + bias.cols, [](double value) { return value == 0; }));
  }
}

TEST_CASE("agalite: one cosine and two give the same outputs, but for the epsilon") {
  constexpr Extent extent{3, 37};
  const auto with = [&](const std::string& r, bool alive) {
    CellFixture<double> fixture(gated_variant("agalite", 12, 2, {{"r", r}, {"head_size", "7"}}),
                                extent);
    if (alive) keep_queries_alive(fixture, 7, 4);
    return output(fixture, extent);
  };
  // r counts in numerator and denominator alike; of the epsilon, 1e-5 beside denominators above 1, half is left
  CHECK(largest_difference(with("1", true), with("2", true)) < 1e-5);
  CHECK(largest_difference(with("1", true), with("2", true)) > 0);
  CHECK(largest_difference(with("1", false), with("3", false)) > 0.01);
}

TEST_CASE("agalite: at r <= 2 a head's output is its trace of values times a number within 1/2") {
  constexpr Extent extent{1, 50};
  constexpr Index d = 6;
  constexpr Index eta = 4;
  for (const std::string r : {"1", "2"}) {
    CellFixture<double> fixture(gated_variant("agalite", 12, 2, {{"r", r}, {"head_size", "0"}}),
                                extent);
    show_heads(fixture);
    std::vector<double> state = fixture.fresh_state(1, 1);
    const Index of_head = std::ssize(state) / 2;
    std::vector<double> x = fixture.random("x", extent.rows() * 12, 3);
    double largest = 0;
    for (Index t = 0; t < extent.steps; ++t) {
      std::vector<double> y(12);
      fixture.cell->step({x.data() + t * 12, 1, 12}, fixture.state_matrix(state, 1),
                         {y.data(), 1, 12});
      for (Index head = 0; head < 2; ++head) {
        const double* const v = state.data() + head * of_head + eta * d;
        const double* const o = y.data() + head * d;
        const Index at =
            std::max_element(v, v + d,
                             [](double a, double b) { return std::abs(a) < std::abs(b); }) -
            v;
        const double g = o[at] / v[at];
        largest = std::max(largest, std::abs(g));
        for (Index j = 0; j < d; ++j) CHECK(o[j] == doctest::Approx(g * v[j]).epsilon(1e-9));
      }
    }
    CHECK(largest <= 0.5);
    CHECK(largest > 0.3);
  }
}

TEST_CASE("agalite: the phase is exact after ten million steps, for every period") {
  constexpr Extent extent{1, 19};
  constexpr double steps = 1e7 + 14;  // the phase that the clock stands at
  for (const Index r : {1, 2, 4, 5, 33, 64}) {
    CellFixture<double> fixture(
        gated_variant("agalite", 6, 1, {{"r", std::to_string(r)}, {"head_size", "0"}}), extent);
    show_heads(fixture);
    std::vector<double> x = fixture.random("x", extent.rows() * 6);
    const reference::Parameters parameters = reference::parameters_of(fixture.parameters);
    reference::Array2 rows = xt::zeros<double>({extent.steps, Index{6}});
    std::copy(x.begin(), x.end(), rows.begin());
    const auto projected = [&](const std::string& name) {
      reference::Array2 a = xt::linalg::dot(rows, parameters.matrix(name + ".weight"));
      a += parameters.vector(name + ".bias");
      return a;
    };
    const reference::Array2 slow = projected("slow");
    const reference::Array2 factors = projected("features");
    std::vector<reference::GatedStep> in(static_cast<std::size_t>(extent.steps));
    for (std::size_t t = 0; t < in.size(); ++t) {
      const auto part = [&](const reference::Array2& from, std::size_t at,
                            std::size_t size) -> reference::Vector {
        return xt::view(from, t, xt::range(at, at + size));
      };
      in[t] = {part(slow, 0, 6),  part(slow, 6, 6),    part(slow, 12, 6),   part(slow, 18, 6),
               part(slow, 24, 6), part(factors, 0, 4), part(factors, 4, 4), part(factors, 8, 4)};
    }
    const reference::Array2 expected =
        reference::agalite_head(in, static_cast<std::size_t>(r), steps);
    // the reference rounds angles of 1e7 turns to 1e-9; the cell does not
    const std::vector<double> wanted(expected.begin(), expected.end());
    std::vector<double> state = fixture.fresh_state(1, 1);
    CHECK(state.back() == 1);
    state.back() = steps;
    const std::vector<double> y =
        fixture.forward(extent, x, {.state = fixture.state_matrix(state, 1)});
    CHECK(largest_difference(y, wanted) < 1e-6);
    state = fixture.fresh_state(1, 1);
    const std::vector<double> early =
        fixture.forward(extent, x, {.state = fixture.state_matrix(state, 1)});
    CHECK((largest_difference(y, early) > 1e-3) == (r > 3));  // only then does the phase matter
  }
}

TEST_CASE(
    "agalite: the clock goes round its period, in float too, and nothing else is left of a long "
    "past") {
  constexpr Extent extent{1, 64};
  CellFixture<float> fixture(gated_variant("agalite", 12, 2, {{"r", "5"}, {"head_size", "0"}}),
                             extent);
  std::vector<float> state = fixture.fresh_state(1, 1);
  const auto clock = [&](Index head) {
    return state[static_cast<std::size_t>((head + 1) * std::ssize(state) / 2 - 1)];
  };
  std::vector<float> x = fixture.random("x", extent.rows() * 12);
  const rlt::Pass<float> pass{.state = fixture.state_matrix(state, 1)};
  for (int pieces = 1; pieces <= 5; ++pieces) fixture.forward(extent, x, pass);
  for (Index head = 0; head < 2; ++head) CHECK(clock(head) == (1 + 5 * 64) % 8);
}

TEST_CASE("agalite: a start inside a sequence equals a fresh state, clock included") {
  constexpr Extent extent{1, 40};
  for (const std::string form : {"loop", "scan"}) {
    CellFixture<double> fixture(
        gated_variant("agalite", 12, 2, {{"r", "4"}, {"head_size", "0"}, {"form", form}}), extent);
    std::vector<double> x = fixture.random("x", extent.rows() * 12);
    std::vector<std::uint8_t> starts(40, 0);
    starts[33] = 1;
    std::vector<double> past = fixture.fresh_state(1, 1);
    const std::vector<double> whole = fixture.forward(
        extent, x, {.state = fixture.state_matrix(past, 1), .starts = starts.data()});
    std::vector<double> rest(x.begin() + 33 * 12, x.end());
    std::vector<double> state = fixture.fresh_state(1, 1);
    const std::vector<double> fresh =
        fixture.forward({1, 7}, rest, {.state = fixture.state_matrix(state, 1)});
    CHECK(largest_difference(std::vector<double>(whole.begin() + 33 * 12, whole.end()), fresh) <
          double_tolerance);
    CHECK(largest_difference(past, state) < double_tolerance);
  }
}

TEST_CASE(
    "agalite: the scan equals the loop to rounding, with its past, its starts and its gradients") {
  for (const Extent extent : {Extent{1, 257}, Extent{2, 96}, Extent{3, 33}, Extent{2, 31}}) {
    std::vector<std::vector<double>> results;
    for (const std::string form : {"loop", "scan"}) {
      CellFixture<double> fixture(
          gated_variant("agalite", 12, 2, {{"r", "5"}, {"head_size", "7"}, {"form", form}}),
          extent);
      std::vector<double> x = fixture.random("x", extent.rows() * 12);
      std::vector<double> dy = fixture.random("dy", extent.rows() * 12);
      std::vector<double> state = fixture.fresh_state(extent.batch, 1);
      const rlt::Pass<double> pass{.state = fixture.state_matrix(state, extent.batch)};
      fixture.forward(extent, x, pass);
      std::vector<std::uint8_t> starts(static_cast<std::size_t>(extent.rows()), 0);
      starts[0] = starts[30] = starts[static_cast<std::size_t>(extent.rows() - 2)] = 1;
      std::vector<double> all =
          fixture.forward(extent, x, {.state = pass.state, .starts = starts.data()});
      const std::vector<double> dx = fixture.backward(extent, x, dy);
      const std::vector<double> gradients = fixture.gradients();
      all.insert(all.end(), state.begin(), state.end());
      all.insert(all.end(), dx.begin(), dx.end());
      all.insert(all.end(), gradients.begin(), gradients.end());
      results.push_back(all);
    }
    CHECK(largest_difference(results[1], results[0]) < double_tolerance);
  }
}
