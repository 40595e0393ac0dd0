// What the contract does not ask of aaren: the facts of attention by one fixed query, and that loop and scan agree.
#include <doctest/doctest.h>

#include <limits>

#include "base/gradient_check.hpp"
#include "base/parallel.hpp"
#include "support/gated_cells.hpp"

using rlt::Extent;
using rlt::Index;
using support::CellFixture;
using support::gated_variant;
using support::largest_difference;
using support::parameter_of;

namespace {

constexpr Index width = 12;
constexpr Index heads = 2;
// double against double: rounding alone
constexpr double double_tolerance = 1e-10;
// twice the steps of a chunk of the scan, and some
constexpr Index long_steps = 1100;
constexpr Index chunk = 512;

support::Variant variant(const std::string& form = "auto") {
  return gated_variant("aaren", width, heads, {{"form", form}});
}

void identity(CellFixture<double>& fixture, const std::string& name) {
  const rlt::Matrix<double> weight = parameter_of(fixture, name + ".weight");
  std::fill_n(parameter_of(fixture, name + ".bias").data, width, 0.0);
  for (Index i = 0; i < width; ++i) {
    for (Index j = 0; j < width; ++j) weight.row(i)[j] = i == j ? 1 : 0;
  }
}

/// Inputs are the values and outputs those of the heads.
void show_heads(CellFixture<double>& fixture) {
  identity(fixture, "value");
  identity(fixture, "out");
}

/// The score of a head becomes `scale` times the first number of its part of x.
void score_first_number(CellFixture<double>& fixture, double scale) {
  identity(fixture, "key");
  std::fill_n(parameter_of(fixture, "query_map.weight").data, width * width, 0.0);
  const double root = std::sqrt(static_cast<double>(width / heads));
  for (Index i = 0; i < width; ++i) {
    parameter_of(fixture, "query_map.bias").data[i] = i % (width / heads) == 0 ? scale * root : 0;
  }
}

std::vector<double> gradient_of(const CellFixture<double>& fixture, const std::string& name) {
  for (const rlt::Parameter<double>& parameter : fixture.parameters.all()) {
    if (parameter.name != "cell." + name) continue;
    return {parameter.gradient, parameter.gradient + parameter.count()};
  }
  throw std::out_of_range(name);
}

double largest(const std::vector<double>& values) {
  double most = 0;
  for (const double value : values) most = std::max(most, std::abs(value));
  return most;
}

/// Outputs, last state, and all gradients of a pass behind `past`, one after the other.
std::vector<double> everything(const std::string& form, Extent extent, std::vector<double> past,
                               const std::vector<std::uint8_t>& starts) {
  CellFixture<double> fixture(variant(form), extent);
  std::vector<double> x = fixture.random("x", extent.rows() * width, 3);
  std::vector<double> dy = fixture.random("dy", extent.rows() * width);
  rlt::Pass<double> pass{.starts = starts.data()};
  if (!past.empty()) pass.state = fixture.state_matrix(past, extent.batch);
  std::vector<double> all = fixture.forward(extent, x, pass);
  const std::vector<double> dx = fixture.backward(extent, x, dy);
  const std::vector<double> gradients = fixture.gradients();
  all.insert(all.end(), past.begin(), past.end());
  all.insert(all.end(), dx.begin(), dx.end());
  all.insert(all.end(), gradients.begin(), gradients.end());
  return all;
}

}  // namespace

TEST_CASE(
    "aaren: a layer has as many parameters as torch's Transformer layer, and one token more") {
  constexpr Index n = 512;
  CellFixture<float> fixture(gated_variant("aaren", n, 8, {}), {1, 1});
  // less the feed-forward layer of 2048 and two norms: the paper's 3,152,896
  CHECK(fixture.parameters.count() == 3152896 - (2 * n * 2048 + 2048 + n) - 4 * n);
  CHECK(fixture.cell->state_size(1) == n + 2 * 8);
  CHECK(fixture.cell->state_size(100000) == n + 2 * 8);
}

TEST_CASE("aaren: the loop and the scan are equal to rounding, whatever the past and the starts") {
  for (const Extent extent : {Extent{1, long_steps}, Extent{2, 2 * chunk}, Extent{3, chunk + 1}}) {
    CellFixture<double> fixture(variant(), extent);
    std::vector<double> before = fixture.random("before", extent.rows() * width);
    std::vector<double> past = fixture.fresh_state(extent.batch, 1);
    fixture.forward(extent, before, {.state = fixture.state_matrix(past, extent.batch)});
    std::vector<std::uint8_t> none(static_cast<std::size_t>(extent.rows()), 0);
    CHECK(largest_difference(everything("scan", extent, {}, none),
                             everything("loop", extent, {}, none)) < double_tolerance);
    CHECK(largest_difference(everything("scan", extent, past, none),
                             everything("loop", extent, past, none)) < double_tolerance);
    for (const Index place : {Index{0}, Index{1}, chunk - 1, chunk, chunk + 1, extent.steps - 1}) {
      if (place >= extent.steps) continue;
      CAPTURE(place);
      std::vector<std::uint8_t> starts = none;
      starts[place] = 1;
      CHECK(largest_difference(everything("scan", extent, past, starts),
                               everything("loop", extent, past, starts)) < double_tolerance);
    }
  }
}

TEST_CASE("aaren: the scan has the gradients of central differences across chunks") {
  constexpr Extent extent{1, long_steps};
  CellFixture<double> fixture(variant("scan"), extent);
  std::vector<double> x = fixture.random("x", extent.rows() * width);
  std::vector<double> probe = fixture.random("probe", extent.rows() * width);
  std::vector<std::uint8_t> starts(long_steps, 0);
  starts[700] = 1;
  const auto loss = [&] {
    const std::vector<double> y = fixture.forward(extent, x, {.starts = starts.data()});
    double sum = 0;
    for (std::size_t i = 0; i < y.size(); ++i) sum += y[i] * probe[i];
    return sum;
  };
  loss();
  const std::vector<double> dx = fixture.backward(extent, x, probe);
  for (const Index t : {0, 1, 510, 511, 512, 513, 699, 700, 701, 1023, 1024, 1099}) {
    const Index i = t * width + t % width;
    CHECK(rlt::gradient_error(x[i], dx[i], loss) < rlt::GradientTolerance().error);
  }
}

TEST_CASE("aaren: bits do not depend on the number of threads, by loop and by scan") {
  const int before = rlt::thread_count();
  for (const std::string form : {"loop", "scan"}) {
    const std::vector<std::uint8_t> none(2 * long_steps, 0);
    rlt::set_thread_count(1);
    const std::vector<double> one = everything(form, {2, long_steps}, {}, none);
    for (const int threads : {2, 3}) {
      rlt::set_thread_count(threads);
      CHECK(everything(form, {2, long_steps}, {}, none) == one);
    }
  }
  rlt::set_thread_count(before);
}

// Softmax does not see what all scores have in common; a carried state was weighed without it.
TEST_CASE("aaren: the bias of the keys has gradient exactly 0 unless a state is carried") {
  constexpr Extent extent{3, 37};
  CellFixture<double> fixture(variant(), extent);
  std::vector<double> x = fixture.random("x", extent.rows() * width);
  std::vector<double> dy = fixture.random("dy", extent.rows() * width);
  fixture.forward(extent, x);
  fixture.backward(extent, x, dy);
  CHECK(largest(gradient_of(fixture, "key.bias")) == 0);
  CHECK(largest(gradient_of(fixture, "key.weight")) > 0);
  std::vector<double> state = fixture.fresh_state(extent.batch, 1);
  const rlt::Pass<double> pass{.state = fixture.state_matrix(state, extent.batch)};
  fixture.forward(extent, x, pass);
  fixture.backward(extent, x, dy);
  CHECK(largest(gradient_of(fixture, "key.bias")) == 0);
  fixture.forward(extent, x, pass);
  fixture.backward(extent, x, dy);
  CHECK(largest(gradient_of(fixture, "key.bias")) > 1e-3);
  // nor does it act
  std::vector<double> moved = fixture.forward(extent, x);
  const std::vector<double> kept = moved;
  for (Index i = 0; i < width; ++i) parameter_of(fixture, "key.bias").data[i] += 5;
  moved = fixture.forward(extent, x);
  CHECK(largest_difference(moved, kept) < double_tolerance);
}

TEST_CASE("aaren: a carried state of scores near 5000 leaves no trace behind a start") {
  for (const std::string form : {"loop", "scan"}) {
    constexpr Extent extent{1, long_steps};
    CellFixture<double> fixture(variant(form), extent);
    score_first_number(fixture, 5000);
    const auto inputs = [&](double first) {
      std::vector<double> x = fixture.random("x", extent.rows() * width);
      for (Index i = 0; i < std::ssize(x); i += width / heads) x[i] = first + 0.001 * x[i];
      return x;
    };
    std::vector<double> x = inputs(1);
    std::vector<double> dy = fixture.random("dy", extent.rows() * width);
    for (const Index place : {Index{0}, chunk, Index{700}}) {
      std::vector<double> state = fixture.fresh_state(1, 1);
      const rlt::Matrix<double> carried = fixture.state_matrix(state, 1);
      fixture.forward(extent, x, {.state = carried});
      std::vector<std::uint8_t> starts(long_steps, 0);
      starts[place] = 1;
      std::vector<double> low = x;
      const std::vector<double> below = inputs(-1);
      std::copy(below.begin() + place * width, below.end(), low.begin() + place * width);
      const std::vector<double> y =
          fixture.forward(extent, low, {.state = carried, .starts = starts.data()});
      fixture.parameters.zero_gradients();
      std::vector<double> all = fixture.backward(extent, low, dy);
      const std::vector<double> gradients = fixture.gradients();
      all.insert(all.end(), gradients.begin(), gradients.end());
      CHECK(std::ranges::all_of(all, [](double value) { return std::isfinite(value); }));
      CHECK((largest(gradient_of(fixture, "key.bias")) > 0) == (place > 0));
      const Index rest = extent.steps - place;
      std::vector<double> tail(low.begin() + place * width, low.end());
      CHECK(largest_difference(std::vector<double>(y.begin() + place * width, y.end()),
                               fixture.forward({1, rest}, tail)) < double_tolerance);
    }
  }
}

// The sums of ds that the key bias does not show: with all x alike in a number, its column of dA is their sum.
TEST_CASE("aaren: the gradients of the scores sum to 0, and one step alone has none") {
  for (const Index steps : {1, 37, 1100}) {
    const Extent extent{1, steps};
    CellFixture<double> fixture(variant(), extent);
    std::vector<double> x = fixture.random("x", extent.rows() * width);
    for (Index t = 0; t < steps; ++t) x[t * width + 4] = 1;
    std::vector<double> dy = fixture.random("dy", extent.rows() * width);
    fixture.forward(extent, x);
    fixture.backward(extent, x, dy);
    const std::vector<double> gradient = gradient_of(fixture, "key.weight");
    const std::vector<double> of_sum(gradient.begin() + 4 * width, gradient.begin() + 5 * width);
    CHECK(largest(of_sum) < double_tolerance);
    CHECK((largest(gradient) > 1e-3) == (steps > 1));
    CHECK((largest(gradient_of(fixture, "query")) > 1e-3) == (steps > 1));
    CHECK(largest(gradient_of(fixture, "value.weight")) > 1e-3);
  }
}

TEST_CASE("aaren: one layer sees its past as a set: the order of it does not matter") {
  constexpr Extent extent{1, 37};
  CellFixture<double> fixture(variant(), extent);
  std::vector<double> x = fixture.random("x", extent.rows() * width);
  const std::vector<double> y = fixture.forward(extent, x);
  for (Index t = 0; t < 18; ++t) {
    std::swap_ranges(x.begin() + t * width, x.begin() + (t + 1) * width,
                     x.begin() + (35 - t) * width);
  }
  const std::vector<double> turned = fixture.forward(extent, x);
  const auto last = [](const std::vector<double>& of) {
    return std::vector<double>(of.end() - width, of.end());
  };
  CHECK(largest_difference(last(turned), last(y)) < double_tolerance);
  CHECK(largest_difference(turned, y) > 0.01);
}

TEST_CASE("aaren: a head's outputs lie in the hull of its values so far") {
  constexpr Extent extent{2, 37};
  CellFixture<double> fixture(variant(), extent);
  show_heads(fixture);
  std::vector<double> x = fixture.random("x", extent.rows() * width, 5);
  const std::vector<double> y = fixture.forward(extent, x);
  // directions at random: no output further out than the furthest value
  const std::vector<double> directions = support::numbers(20 * width, 3);
  double beyond = 0;
  for (Index line = 0; line < 20 * heads; ++line) {
    const Index col = line % heads * (width / heads);
    const double* const along = directions.data() + line / heads * width;
    for (Index b = 0; b < extent.batch; ++b) {
      double furthest = -1e300;
      for (Index t = 0; t < extent.steps; ++t) {
        const Index row = (b * extent.steps + t) * width + col;
        double value = 0;
        double output = 0;
        for (Index j = 0; j < width / heads; ++j) {
          value += along[j] * x[row + j];
          output += along[j] * y[row + j];
        }
        furthest = std::max(furthest, value);
        beyond = std::max(beyond, output - furthest);
      }
    }
  }
  CHECK(beyond < double_tolerance);
}

TEST_CASE("aaren: equal scores give the mean, scores of +-5000 the value of the largest so far") {
  for (const std::string form : {"loop", "scan"}) {
    const Extent extent{1, long_steps};
    CellFixture<double> fixture(variant(form), extent);
    show_heads(fixture);
    score_first_number(fixture, 0);
    std::vector<double> x = fixture.random("x", extent.rows() * width);
    const std::vector<double> mean = fixture.forward(extent, x);
    score_first_number(fixture, 5000);
    const std::vector<double> chosen = fixture.forward(extent, x);
    std::vector<double> sum(width, 0);
    std::vector<Index> best(width, 0);
    double worst = 0;
    double nearest = 1e300;
    for (Index t = 0; t < extent.steps; ++t) {
      for (Index i = 0; i < width; ++i) {
        const Index head = i - i % (width / heads);
        const double gap = 5000 * (x[t * width + head] - x[best[i] * width + head]);
        if (gap > 0) best[i] = t;
        if (t > 0 && best[i] != t) nearest = std::min(nearest, -gap);
        if (t > 0 && best[i] == t) nearest = std::min(nearest, gap);
        sum[i] += x[t * width + i];
        worst =
            std::max(worst, std::abs(mean[t * width + i] - sum[i] / static_cast<double>(t + 1)));
        // where two scores are within 30 of each other, both count
        if (nearest > 30) {
          worst = std::max(worst, std::abs(chosen[t * width + i] - x[best[i] * width + i]));
        }
      }
    }
    CHECK(worst < double_tolerance);
    std::vector<double> dy = fixture.random("dy", extent.rows() * width);
    const std::vector<double> dx = fixture.backward(extent, x, dy);
    CHECK(std::ranges::all_of(dx, [](double value) { return std::isfinite(value); }));
  }
}

TEST_CASE("aaren: scores far below 0 from the first step on are as good as any others") {
  constexpr Extent extent{1, 37};
  CellFixture<float> fixture(variant(), extent);
  std::vector<float> x = fixture.random("x", extent.rows() * width);
  std::vector<float> state = fixture.fresh_state(1, 1);
  CHECK(state.back() == -std::numeric_limits<float>::infinity());
  const std::vector<float> y = fixture.forward(extent, x);
  // a bias of the keys that takes 500 from the scores, along q
  rlt::Parameter<float>* bias = nullptr;
  for (const rlt::Parameter<float>& parameter : fixture.parameters.all()) {
    if (parameter.name == "cell.key.bias") bias = const_cast<rlt::Parameter<float>*>(&parameter);
  }
  REQUIRE(bias != nullptr);
  for (Index i = 0; i < width; ++i) bias->value[i] -= 1000;
  const std::vector<float> low = fixture.forward(extent, x);
  for (Index i = 0; i < width; ++i) bias->value[i] += 2000;
  const std::vector<float> high = fixture.forward(extent, x);
  // scores near 1000 are rounded to 1e-4
  CHECK(largest_difference(low, y) < 1e-3);
  CHECK(largest_difference(high, y) < 1e-3);
}

TEST_CASE("aaren: a long past neither fades nor overflows: float stays near double") {
  constexpr Extent extent{1, 20000};
  CellFixture<float> single(variant(), extent);
  std::vector<float> x = single.random("x", extent.rows() * width);
  const std::vector<float> y = single.forward(extent, x);
  CellFixture<double> fixture(variant(), extent);
  std::vector<double> exact(x.begin(), x.end());
  const std::vector<double> expected = fixture.forward(extent, exact);
  // sums of 20000 floats in order
  CHECK(largest_difference(y, expected) < 1e-3);
  std::vector<double> state = fixture.fresh_state(1, 1);
  const std::vector<double> again =
      fixture.forward(extent, exact, {.state = fixture.state_matrix(state, 1)});
  for (Index head = 0; head < heads; ++head) {
    const double c = state[static_cast<std::size_t>((head + 1) * (width / heads + 2) - 2)];
    CHECK(c > 1);
    CHECK(c < extent.steps);
  }
  CHECK(again == expected);
}

TEST_CASE("aaren: a stream of 65536 tokens, one by one, is what the scan makes of the whole") {
  constexpr Extent extent{1, 65536};
  CellFixture<float> whole(gated_variant("aaren", width, heads, {{"form", "scan"}}), extent);
  std::vector<float> x = whole.random("x", extent.rows() * width, 3);
  const std::vector<float> y = whole.forward(extent, x);
  CellFixture<float> stream(variant(), {1, 1});
  CHECK(stream.cell->state_size(extent.steps) == stream.cell->state_size(1));
  std::vector<float> state = stream.fresh_state(1, 1);
  float apart = 0;
  for (Index t = 0; t < extent.steps; ++t) {
    std::vector<float> token(x.begin() + t * width, x.begin() + (t + 1) * width);
    const std::vector<float> now =
        stream.forward({1, 1}, token, {.state = stream.state_matrix(state, 1)});
    for (Index i = 0; i < width; ++i) {
      apart = std::max(apart, std::abs(now[static_cast<std::size_t>(i)] -
                                       y[static_cast<std::size_t>(t * width + i)]));
    }
  }
  // either adds up to 65536 floats, in another order
  CHECK(apart < 1e-3);
}
