// What the contract does not ask of gtrxl: when a segment equals its steps and when it does not, the memory, its
// cache, and the biases that layers share.
#include <doctest/doctest.h>

#include "base/gradient_check.hpp"
#include "support/cell_fixture.hpp"

using rlt::Extent;
using rlt::Index;
using rlt::Pass;
using support::CellFixture;
using support::largest_difference;
using support::Variant;
using Numbers = std::vector<double>;

namespace {

// double against double: rounding alone
constexpr double double_tolerance = 1e-10;
// what other keys, other positions or other parameters make of an output near 1, at the very least
constexpr double different = 1e-4;
// central differences in double with step 1e-5
constexpr rlt::GradientTolerance tolerance;

Variant variant_of(rlt::OptionValues options, Index width = 12, Index heads = 2) {
  options.try_emplace("head_size", "7");
  rlt::CellConfig config{.d_model = width, .heads = heads, .options = std::move(options)};
  return {"gtrxl", rlt::complete("gtrxl", config)};
}

Numbers part(const Numbers& rows, Extent whole, Index width, Index from, Index steps) {
  Numbers piece;
  for (Index b = 0; b < whole.batch; ++b) {
    const auto first = rows.begin() + (b * whole.steps + from) * width;
    piece.insert(piece.end(), first, first + steps * width);
  }
  return piece;
}

/// x one step after the other, from `state`, which goes on.
Numbers stepped(CellFixture<double>& fixture, Extent extent, const Numbers& x, Numbers& state,
                const std::vector<std::uint8_t>& starts = {}) {
  const Index width = fixture.width();
  Numbers y(x.size());
  for (Index t = 0; t < extent.steps; ++t) {
    Numbers token = part(x, extent, width, t, 1);
    std::vector<std::uint8_t> marks;
    for (Index b = 0; b < extent.batch && !starts.empty(); ++b) {
      marks.push_back(starts[b * extent.steps + t]);
    }
    const Numbers out = fixture.forward({extent.batch, 1}, token,
                                        {.state = fixture.state_matrix(state, extent.batch),
                                         .starts = marks.empty() ? nullptr : marks.data(),
                                         .keep = Pass<double>::Keep::nothing});
    for (Index b = 0; b < extent.batch; ++b) {
      std::copy_n(out.begin() + b * width, width, y.begin() + (b * extent.steps + t) * width);
    }
  }
  return y;
}

/// A segment behind `past` steps, at once and step by step: the largest difference at each step.
Numbers gaps(const Variant& variant, Index past, Index steps) {
  const Extent before{2, past};
  const Extent extent{2, steps};
  CellFixture<double> fixture(variant, {2, past + steps});
  const Index width = fixture.width();
  Numbers state = fixture.fresh_state(2, past + steps);
  if (past > 0) {
    stepped(fixture, before, fixture.random("past", before.rows() * width), state);
  }
  Numbers x = fixture.random("x", extent.rows() * width);
  Numbers other = state;
  const Numbers y = fixture.forward(extent, x, {.state = fixture.state_matrix(state, 2)});
  const Numbers one_by_one = stepped(fixture, extent, x, other);
  Numbers result;
  for (Index t = 0; t < steps; ++t) {
    result.push_back(
        largest_difference(part(y, extent, width, t, 1), part(one_by_one, extent, width, t, 1)));
  }
  // Whatever the outputs: both leave the same inputs behind, and go on alike.
  const Extent next{2, 1};
  const Numbers z = fixture.random("z", next.rows() * width);
  CHECK(largest_difference(stepped(fixture, next, z, state), stepped(fixture, next, z, other)) <
        double_tolerance);
  return result;
}

Index first_gap(const Variant& variant, Index past, Index steps) {
  const Numbers all = gaps(variant, past, steps);
  for (Index t = 0; t < steps; ++t) {
    if (all[t] < double_tolerance) continue;
    CHECK(all[t] > different);
    return t;
  }
  return steps;
}

void spread(CellFixture<double>& fixture, std::uint64_t seed) {
  for (const rlt::Parameter<double>& parameter : fixture.parameters.all()) {
    const Numbers change = support::numbers(parameter.count(), seed);
    for (Index i = 0; i < parameter.count(); ++i) parameter.value[i] += 0.3 * change[i];
  }
}

}  // namespace

TEST_CASE("gtrxl: a segment equals its steps while it and its past are at most M + 1 steps") {
  const Variant variant = variant_of({{"memory", "8"}});
  CHECK(first_gap(variant, 0, 9) == 9);   // the memory masked, M + 1 steps
  CHECK(first_gap(variant, 0, 12) == 9);  // from step M + 2 on, a segment sees more
  CHECK(first_gap(variant, 3, 6) == 6);
  CHECK(first_gap(variant, 3, 9) == 6);
  CHECK(first_gap(variant, 20, 5) == 1);  // a full memory: the first step alone
}

TEST_CASE("gtrxl: with a sliding window a segment always equals its steps") {
  for (const char* const cache : {"on", "off"}) {
    const Variant variant = variant_of({{"memory", "8"}, {"window", "sliding"}, {"cache", cache}});
    for (const Index past : {0, 3, 20}) CHECK(first_gap(variant, past, 41) == 41);
  }
}

TEST_CASE("gtrxl: the cache changes nothing but rounding, over many steps and starts") {
  const Extent extent{3, 300};
  CellFixture<double> with(variant_of({{"memory", "8"}}), {3, 1});
  CellFixture<double> without(variant_of({{"memory", "8"}, {"cache", "off"}}), {3, 1});
  const Numbers x = with.random("x", extent.rows() * with.width());
  std::vector<std::uint8_t> starts(static_cast<std::size_t>(extent.rows()), 0);
  starts[0] = starts[37] = starts[300 + 200] = starts[300 + 203] = 1;
  Numbers state = with.fresh_state(3, 300);
  Numbers small = without.fresh_state(3, 300);
  CHECK(state.size() == 3 * (1 + 9 * (12 + 2 * 14)));
  CHECK(small.size() == 3 * (1 + 9 * 12));
  CHECK(largest_difference(stepped(with, extent, x, state, starts),
                           stepped(without, extent, x, small, starts)) < double_tolerance);
}

TEST_CASE("gtrxl: rebuild makes of a memory the keys and values of the present parameters") {
  const Extent extent{3, 21};
  const Extent next{3, 11};
  for (const Index memory : {8, 40}) {
    CAPTURE(memory);
    const std::string number = std::to_string(memory);
    CellFixture<double> fixture(variant_of({{"memory", number}}), extent);
    CellFixture<double> uncached(variant_of({{"memory", number}, {"cache", "off"}}), extent);
    const Numbers x = fixture.random("x", extent.rows() * fixture.width());
    const Numbers z = fixture.random("z", next.rows() * fixture.width());
    Numbers state = fixture.fresh_state(3, 40);
    Numbers expected_state = uncached.fresh_state(3, 40);
    stepped(fixture, extent, x, state);
    stepped(uncached, extent, x, expected_state);
    spread(fixture, 5);
    spread(uncached, 5);
    Numbers forgotten = state;
    fixture.cell->rebuild(fixture.state_matrix(state, 3));
    uncached.cell->rebuild(uncached.state_matrix(expected_state, 3));  // holds nothing to rebuild
    const Numbers expected = stepped(uncached, next, z, expected_state);
    CHECK(largest_difference(stepped(fixture, next, z, state), expected) < double_tolerance);
    CHECK(largest_difference(stepped(fixture, next, z, forgotten), expected) > different);
  }
}

TEST_CASE("gtrxl: a fresh state, or a start, needs no rebuild after the parameters have changed") {
  const Extent extent{2, 9};
  CellFixture<double> fixture(variant_of({{"memory", "8"}}), extent);
  Numbers x = fixture.random("x", extent.rows() * fixture.width());
  Numbers state = fixture.fresh_state(2, 9);
  stepped(fixture, extent, x, state);
  spread(fixture, 5);
  std::vector<std::uint8_t> starts(static_cast<std::size_t>(extent.rows()), 0);
  starts[0] = starts[9] = 1;
  const Numbers after_start = stepped(fixture, extent, x, state, starts);
  spread(fixture, 6);
  Numbers fresh = fixture.fresh_state(2, 9);
  const Numbers after_fresh = stepped(fixture, extent, x, fresh);
  CHECK(largest_difference(after_fresh, fixture.forward(extent, x)) < double_tolerance);
  CellFixture<double> other(variant_of({{"memory", "8"}}), extent);
  spread(other, 5);
  CHECK(largest_difference(after_start, other.forward(extent, x)) < double_tolerance);
}

TEST_CASE("gtrxl: a start empties the memory, in a step and inside a segment") {
  const Extent extent{2, 7};
  for (const char* const cache : {"on", "off"}) {
    CellFixture<double> fixture(variant_of({{"memory", "8"}, {"cache", cache}}), {2, 20});
    const Index width = fixture.width();
    Numbers past = fixture.random("past", 2 * 20 * width);
    Numbers x = fixture.random("x", extent.rows() * width);
    Numbers full = fixture.fresh_state(2, 20);
    fixture.forward({2, 20}, past, {.state = fixture.state_matrix(full, 2)});
    std::vector<std::uint8_t> starts(static_cast<std::size_t>(extent.rows()), 0);
    starts[0] = starts[7] = 1;
    Numbers fresh = fixture.fresh_state(2, 20);
    Numbers cleared = full;
    CHECK(stepped(fixture, extent, x, cleared, starts) == stepped(fixture, extent, x, fresh));
    // A start at the last step of a segment leaves that step alone.
    starts.assign(starts.size(), 0);
    starts[6] = starts[13] = 1;
    fixture.forward(extent, x, {.state = fixture.state_matrix(full, 2), .starts = starts.data()});
    fresh = fixture.fresh_state(2, 20);
    stepped(fixture, {2, 1}, part(x, extent, width, 6, 1), fresh);
    const Numbers z = fixture.random("z", extent.rows() * width);
    CHECK(largest_difference(stepped(fixture, extent, z, full),
                             stepped(fixture, extent, z, fresh)) < double_tolerance);
  }
}

// The rows of the memory are constants: the differences below leave them as they are. Keys and values made of them
// are not: every parameter that they depend on must have the whole gradient.
TEST_CASE("gtrxl: gradients behind a full memory equal central differences") {
  const Extent past{3, 20};
  const Extent extent{3, 45};  // two blocks of queries
  for (const char* const window : {"segment", "sliding"}) {
    CellFixture<double> fixture(variant_of({{"memory", "8"}, {"window", window}}), extent);
    Numbers before = fixture.random("before", past.rows() * fixture.width());
    Numbers x = fixture.random("x", extent.rows() * fixture.width());
    Numbers probe = fixture.random("probe", extent.rows() * fixture.width());
    std::vector<std::uint8_t> starts(static_cast<std::size_t>(extent.rows()), 0);
    starts[1 * extent.steps + 20] = 1;
    starts[2 * extent.steps] = 1;
    const Numbers state = [&] {
      Numbers carried = fixture.fresh_state(3, 65);
      fixture.forward(past, before, {.state = fixture.state_matrix(carried, 3)});
      return carried;
    }();
    Numbers used;
    const auto loss = [&] {
      used = state;
      const Numbers y = fixture.forward(
          extent, x, {.state = fixture.state_matrix(used, 3), .starts = starts.data()});
      double sum = 0;
      for (std::size_t i = 0; i < y.size(); ++i) sum += y[i] * probe[i];
      return sum;
    };
    loss();
    const Numbers dx = fixture.backward(extent, x, probe);
    const Numbers gradients = fixture.gradients();
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
}

TEST_CASE("gtrxl: keys of the memory train their projection, the memory itself stays") {
  const Extent past{1, 8};
  CellFixture<double> fixture(variant_of({{"memory", "8"}}), past);
  const Index width = fixture.width();
  Numbers before = fixture.random("before", past.rows() * width);
  Numbers x(static_cast<std::size_t>(width), 0.0);  // a constant row: its norm is the bias alone
  Numbers dy = fixture.random("dy", width);
  const auto gain_gradient = [&](const std::vector<std::uint8_t>& start) {
    Numbers state = fixture.fresh_state(1, 9);
    fixture.forward(past, before, {.state = fixture.state_matrix(state, 1)});
    fixture.parameters.zero_gradients();
    fixture.forward({1, 1}, x, {.state = fixture.state_matrix(state, 1), .starts = start.data()});
    const Numbers after = state;
    fixture.backward({1, 1}, x, dy);
    CHECK(state == after);
    const rlt::Parameter<double>& gain = fixture.parameters.all()[0];
    CHECK(gain.name == "cell.norm.gain");
    double sum = 0;
    for (Index c = 0; c < width; ++c) sum += std::abs(gain.gradient[c]);
    return sum;
  };
  CHECK(gain_gradient({1}) == 0);
  CHECK(gain_gradient({0}) > different);
}

TEST_CASE("gtrxl: all layers share u and v, whose gradients are the sum over the layers") {
  const Extent extent{2, 13};
  const Variant variant = variant_of({{"memory", "4"}});
  rlt::ParameterSet<double> parameters;
  const auto lower = rlt::make_cell<double>("gtrxl", variant.config);
  const auto upper = rlt::make_cell<double>("gtrxl", variant.config);
  lower->declare(parameters, "block.0.cell");
  upper->declare(parameters, "block.1.cell");
  const auto is_shared = [](const rlt::Parameter<double>& parameter) {
    return parameter.name == "gtrxl.u" || parameter.name == "gtrxl.v";
  };
  CHECK(std::ranges::count_if(parameters.all(), is_shared) == 2);
  parameters.allocate();
  parameters.initialize(1);
  for (const rlt::Parameter<double>& parameter : parameters.all()) {
    if (!is_shared(parameter)) continue;
    CHECK(std::all_of(parameter.value, parameter.value + parameter.count(),
                      [](double value) { return value == 0; }));
  }
  rlt::Workspace workspace;
  for (int run = 0; run < 2; ++run) {
    lower->carve(workspace, extent);
    upper->carve(workspace, extent);
    if (run == 0) workspace.allocate();
  }
  const Index count = extent.rows() * variant.config.d_model;
  const auto sequence = [&](Numbers& rows) {
    return rlt::Sequence<double>(extent, rows.data(), variant.config.d_model);
  };
  Numbers x = support::numbers(count, 1);
  Numbers probe = support::numbers(count, 2);
  Numbers middle(x.size());
  Numbers y(x.size());
  const auto loss = [&] {
    lower->forward(sequence(x), {}, sequence(middle));
    upper->forward(sequence(middle), {}, sequence(y));
    double sum = 0;
    for (std::size_t i = 0; i < y.size(); ++i) sum += y[i] * probe[i];
    return sum;
  };
  loss();
  Numbers dmiddle(x.size());
  Numbers dx(x.size());
  upper->backward(sequence(middle), sequence(probe), sequence(dmiddle));
  lower->backward(sequence(x), sequence(dmiddle), sequence(dx));
  for (const rlt::Parameter<double>& parameter : parameters.all()) {
    if (!is_shared(parameter)) continue;
    for (Index i = 0; i < parameter.count(); ++i) {
      CHECK_MESSAGE(
          rlt::gradient_error(parameter.value[i], parameter.gradient[i], loss) < tolerance.error,
          parameter.name);
    }
  }
}

TEST_CASE("gtrxl: parameter counts are those of the papers' table, less gates and feed-forward") {
  constexpr Index D = 128;
  constexpr Index Hd = 256;
  rlt::ParameterSet<float> parameters;
  const Variant variant = variant_of({{"head_size", "64"}}, D, 4);
  const auto count_with = [&](const std::string& name) {
    rlt::make_cell<float>("gtrxl", variant.config)->declare(parameters, name);
    return parameters.count();
  };
  const Index layer = 2 * (D * Hd + Hd) + (D * Hd + Hd) + (D * Hd + Hd) + (Hd * D + D) + 2 * D;
  CHECK(count_with("block.0.cell") == layer + 2 * Hd);
  CHECK(count_with("block.1.cell") == 2 * layer + 2 * Hd);
  // 395,392 of a whole layer: two gates, two dense layers and the second norm
  CHECK(layer + 2 * (6 * D * D + D) + 2 * (D * D + D) + 2 * D == 395392);
}
