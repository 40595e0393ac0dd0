// What the contract does not ask of galite: its sizes, its start, and that agalite approximates its factored decay.
#include <doctest/doctest.h>

#include "support/gated_cells.hpp"

using rlt::Extent;
using rlt::Index;
using rlt::Matrix;
using support::CellFixture;
using support::gated_variant;
using support::largest_difference;
using support::parameter_of;

TEST_CASE("galite: parameters and state are those of the paper's size") {
  constexpr Index width = 128;
  constexpr Index heads = 4;
  constexpr Index d = 64;
  constexpr Index nu = 2;
  CellFixture<float> fixture(gated_variant("galite", width, heads, {}), {1, 1});
  // a layer of the official T-Maze model, less two gates, the feed-forward layer and two norms
  CHECK(fixture.parameters.count() ==
        447640 - 2 * (6 * width * width + width) - 2 * (width * width + width) - 4 * width);
  CHECK(fixture.cell->state_size(1) == heads * (d * nu * d + nu * d));
}

TEST_CASE("galite: the kernel of each head and use starts orthogonal on its own") {
  constexpr Index d = 7;
  constexpr Index nu = 2;
  CellFixture<double> fixture(gated_variant("galite", 12, 3, {{"head_size", "7"}}), {1, 1});
  fixture.parameters.initialize(3);
  const auto check = [](Matrix<double> w, Index first, Index count) {
    for (Index a = first; a < first + count; ++a) {
      for (Index b = first; b <= a; ++b) {
        double product = 0;
        for (Index i = 0; i < w.rows; ++i) product += w.row(i)[a] * w.row(i)[b];
        CHECK(product == doctest::Approx(a == b ? 2 : 0).epsilon(1e-10));
      }
    }
  };
  const Matrix<double> slow = parameter_of(fixture, "slow.weight");
  for (Index block = 0; block < 3 * 5; ++block) check(slow, block * d, d);
  for (Index block = 0; block < 3 * 2; ++block) check(slow, 3 * 5 * d + block * nu, nu);
  CHECK(slow.row(0)[0] != slow.row(0)[d]);
  for (const std::string head : {"0", "1", "2"}) {
    const Matrix<double> query = parameter_of(fixture, "query." + head + ".weight");
    check(query, 0, d);
    check(query, d, nu);
  }
}

namespace {

constexpr Index width = 6;
constexpr Index heads = 2;
constexpr Index d = 7;  // not below the width: what comes before galite's queries can be x itself
constexpr Index features = 3;

// Columns first .. first + count - 1 of a weight and its bias become those of another.
void copy_columns(const CellFixture<double>& from, const std::string& source, Index at,
                  const CellFixture<double>& to, const std::string& target, Index first,
                  Index count) {
  for (const std::string kind : {".weight", ".bias"}) {
    const Matrix<double> a = parameter_of(from, source + kind);
    const Matrix<double> b = parameter_of(to, target + kind);
    for (Index row = 0; row < a.rows; ++row) {
      std::copy_n(a.row(row) + at, count, b.row(row) + first);
    }
  }
}

/// Gives galite the projections of agalite.
void imitate(const CellFixture<double>& agalite, const CellFixture<double>& galite) {
  const Index narrow = heads * 5 * d;
  for (Index h = 0; h < heads; ++h) {
    const std::string query = "query." + std::to_string(h);
    const Index from = h * 5 * d;  // key, query, value, beta, gamma
    const Index to = h * 5 * d;    // value, beta, gamma, key, pre
    const Index factors = h * 3 * features;
    copy_columns(agalite, "slow", from, galite, "slow", to + 3 * d, d);
    copy_columns(agalite, "slow", from + 2 * d, galite, "slow", to, 3 * d);
    copy_columns(agalite, "features", factors, galite, "slow", narrow + h * 2 * features, features);
    copy_columns(agalite, "features", factors + 2 * features, galite, "slow",
                 narrow + h * 2 * features + features, features);
    const Matrix<double> pre = parameter_of(galite, "slow.weight");
    const Matrix<double> pre_bias = parameter_of(galite, "slow.bias");
    for (Index j = 0; j < d; ++j) {
      pre_bias.data[to + 4 * d + j] = 0;
      for (Index i = 0; i < width; ++i) pre.row(i)[to + 4 * d + j] = i == j ? 1 : 0;
    }
    copy_columns(agalite, "slow", from + d, galite, query, 0, d);
    copy_columns(agalite, "features", factors + features, galite, query, d, features);
  }
  for (const std::string name : {"out.weight", "out.bias"}) {
    const Matrix<double> out = parameter_of(agalite, name);
    std::copy_n(out.data, out.rows * out.cols, parameter_of(galite, name).data);
  }
}

}  // namespace

// In sums over the r frequencies of cos(n w) cos(m w) with n + m < r - 1, what is left is (r - 1) / 2 where n = m, and
// (-1)^(n + m) from the last frequency, which is the first once more. So, but for epsilons,
//   agalite(r) = (r - 1) / (4 r) galite(factored) + agalite(1) / r
TEST_CASE(
    "galite: agalite is a quarter of the factored form plus what one cosine gives, as r grows") {
  const std::string size = std::to_string(d);
  const std::string n = std::to_string(features);
  constexpr Extent extent{2, 29};
  const auto agalite = [&](Index r) {
    auto fixture = std::make_unique<CellFixture<double>>(
        gated_variant("agalite", width, heads,
                      {{"r", std::to_string(r)}, {"eta", n}, {"head_size", size}}),
        extent);
    // No bias behind the heads; queries and keys far from 0, so that epsilons are nothing beside the denominators.
    const Matrix<double> out = parameter_of(*fixture, "out.bias");
    std::fill_n(out.data, out.cols, 0.0);
    for (const std::string name : {"slow.bias", "features.bias"}) {
      const Matrix<double> bias = parameter_of(*fixture, name);
      const Index group = name == "slow.bias" ? d : features;
      const Index groups = name == "slow.bias" ? 5 : 3;
      for (Index i = 0; i < bias.cols; ++i) {
        if (i / group % groups < 2) bias.data[i] += 4;
      }
    }
    return fixture;
  };
  const auto output = [](CellFixture<double>& fixture, Index steps) {
    const Extent part{extent.batch, steps};
    std::vector<double> x = fixture.random("x", part.rows() * width);
    return fixture.forward(part, x);
  };
  const auto one = agalite(1);
  for (const std::string decay : {"factored", "coded"}) {
    CellFixture<double> galite(
        gated_variant("galite", width, heads, {{"nu", n}, {"head_size", size}, {"decay", decay}}),
        extent);
    imitate(*one, galite);
    for (const auto& [r, steps] : {std::pair<Index, Index>{64, 29}, {33, 14}, {32, 13}, {8, 2}}) {
      std::vector<double> expected = output(galite, steps);
      const std::vector<double> rest = output(*one, steps);
      const double count = static_cast<double>(r);
      for (std::size_t i = 0; i < expected.size(); ++i) {
        expected[i] = (count - 1) / (4 * count) * expected[i] + rest[i] / count;
      }
      const double difference = largest_difference(output(*agalite(r), steps), expected);
      // epsilons: 1e-5 beside denominators above 1e2
      CHECK((difference < 1e-6) == (decay == "factored"));
    }
  }
}

TEST_CASE("galite: the decay that is coded forgets more slowly than the factored one") {
  constexpr Extent extent{1, 9};
  // one write, then values of 0: what is left of C after 8 more steps
  const auto left = [&](const std::string& decay) {
    CellFixture<double> fixture(
        gated_variant("galite", 6, 1, {{"head_size", "0"}, {"decay", decay}}), extent);
    // beta and gamma do not depend on x: gates of 1/2 and 1/4
    const Matrix<double> slow = parameter_of(fixture, "slow.weight");
    const Matrix<double> bias = parameter_of(fixture, "slow.bias");
    std::fill_n(bias.data, bias.cols, 0.0);
    for (Index row = 0; row < 6; ++row) {
      std::fill_n(slow.row(row) + 6, 12, 0.0);      // beta, gamma
      std::fill_n(slow.row(row) + 30 + 2, 2, 0.0);  // p3
    }
    std::vector<double> x(static_cast<std::size_t>(extent.rows() * 6), 0.0);
    const std::vector<double> first = fixture.random("x", 6);
    std::copy(first.begin(), first.end(), x.begin());
    std::vector<double> state = fixture.fresh_state(1, 1);
    const rlt::Pass<double> pass{.state = fixture.state_matrix(state, 1)};
    std::vector<double> token(first);
    fixture.forward({1, 1}, token, pass);
    const std::vector<double> before = state;
    std::vector<double> zeros(8 * 6, 0.0);
    fixture.forward({1, 8}, zeros, pass);
    const Index at =
        std::max_element(before.begin(), before.begin() + 6 * 12,
                         [](double a, double b) { return std::abs(a) < std::abs(b); }) -
        before.begin();
    REQUIRE(std::abs(before[static_cast<std::size_t>(at)]) > 1e-3);
    return state[static_cast<std::size_t>(at)] / before[static_cast<std::size_t>(at)];
  };
  CHECK(left("coded") == doctest::Approx(std::pow(1 - 0.5 * 0.25, 8)));
  CHECK(left("factored") == doctest::Approx(std::pow(0.5 * 0.75, 8)));
}
