// The promises that every cell keeps, at every setting of its options. Sizes are odd and unequal on
// purpose: B=3 T=37 leaves lanes empty and crosses the border of a span between kept states.
#include <doctest/doctest.h>
#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>

#include "base/allocations.hpp"
#include "base/gradient_check.hpp"
#include "base/parallel.hpp"
#include "model/state.hpp"
#include "reference/reference.hpp"
#include "support/cell_fixture.hpp"
#include "tensor/lanes.hpp"

using rlt::Extent;
using rlt::Index;
using support::CellFixture;
using support::largest_difference;
using support::Variant;

namespace {

constexpr Extent usual{3, 37};

// double against double over 37 steps: rounding alone
constexpr double double_tolerance = 1e-10;
// float against double
constexpr double float_tolerance = 1e-4;
// central differences in double with step 1e-5: truncation about 1e-10, rounding about 1e-11. Where a kink of
// relu or a denominator near 0 spoils that step, 1e-6 counts; a wrong gradient fits neither.
constexpr rlt::GradientTolerance tolerance;

// RLT_CELL=lstm in the environment restricts the suite to one cell, for whoever is writing it.
template <typename Body>
void for_every_variant(const Body& body) {
  const char* const only = std::getenv("RLT_CELL");
  for (const Variant& variant : support::variants()) {
    if (only != nullptr && variant.cell != only) continue;
    INFO("cell: ", variant.name());
    body(variant);
  }
}

Index count(Extent extent, const Variant& variant) {
  return extent.rows() * variant.config.d_model;
}

template <typename T>
double reference_difference(const Variant& variant) {
  CellFixture<T> fixture(variant, usual);
  std::vector<T> x = fixture.random("x", count(usual, variant));
  const std::vector<T> y = fixture.forward(usual, x);
  const reference::Forward forward = reference::find(variant.cell);
  REQUIRE_MESSAGE(forward, "tests/reference/", variant.cell, ".hpp is missing or not in all.cpp");
  double worst = 0;
  for (Index b = 0; b < usual.batch; ++b) {
    const Index first = b * usual.steps * fixture.width();
    reference::Array2 sequence = xt::zeros<double>({usual.steps, fixture.width()});
    std::copy_n(x.begin() + first, sequence.size(), sequence.begin());
    const reference::Array2 expected =
        forward(fixture.config, reference::parameters_of(fixture.parameters), sequence);
    const std::vector<T> got(y.begin() + first, y.begin() + first + usual.steps * fixture.width());
    worst = std::max(
        worst, largest_difference(got, std::vector<double>(expected.begin(), expected.end())));
  }
  return worst;
}

}  // namespace

TEST_CASE("every cell: forward equals the independent reference") {
  for_every_variant([](const Variant& variant) {
    CHECK(reference_difference<double>(variant) < double_tolerance);
    CHECK(reference_difference<float>(variant) < float_tolerance);
  });
}

// Of each parameter. The sanitizers look at memory, and the same code runs for every entry.
#if defined(__SANITIZE_ADDRESS__)
constexpr Index entries_checked = 4;
#else
constexpr Index entries_checked = 23;
#endif

TEST_CASE("every cell: gradients equal central differences") {
  for_every_variant([](const Variant& variant) {
    CellFixture<double> fixture(variant, usual);
    std::vector<double> x = fixture.random("x", count(usual, variant));
    std::vector<double> probe = fixture.random("probe", count(usual, variant));
    std::vector<std::uint8_t> starts(static_cast<std::size_t>(usual.rows()), 0);
    starts[1 * usual.steps + 20] = 1;  // one row starts anew inside: gradients must not cross
    starts[2 * usual.steps] = 1;
    // Behind a carried state: it acts on what follows but gets no gradient.
    std::vector<double> state = fixture.fresh_state(usual.batch, 2 * usual.steps);
    const rlt::Matrix<double> carried = fixture.state_matrix(state, usual.batch);
    std::vector<double> past = fixture.random("past", count(usual, variant));
    fixture.forward(usual, past, {.state = carried});
    const std::vector<double> before = state;
    const rlt::Pass<double> pass{.state = carried, .starts = starts.data()};
    const auto loss = [&] {
      std::ranges::copy(before, state.begin());
      const std::vector<double> y = fixture.forward(usual, x, pass);
      double sum = 0;
      for (std::size_t i = 0; i < y.size(); ++i) sum += y[i] * probe[i];
      return sum;
    };
    loss();
    const std::vector<double> dx = fixture.backward(usual, x, probe);
    const auto check = [&](double& entry, double gradient, const std::string& name) {
      CHECK_MESSAGE(rlt::gradient_error(entry, gradient, loss) < tolerance.error, name);
    };
    const std::vector<double> gradients = fixture.gradients();
    for (const rlt::Parameter<double>& parameter : fixture.parameters.all()) {
      const Index stride = std::max<Index>(1, parameter.count() / entries_checked);
      for (Index i = 0; i < parameter.count(); i += stride) {
        check(parameter.value[i], gradients[parameter.offset + i], parameter.name);
      }
    }
    for (std::size_t i = 0; i < x.size(); i += x.size() / entries_checked) check(x[i], dx[i], "x");
  });
}

TEST_CASE("every cell: a second backward doubles the parameter gradients and repeats dx") {
  for_every_variant([](const Variant& variant) {
    CellFixture<double> fixture(variant, usual);
    std::vector<double> x = fixture.random("x", count(usual, variant));
    std::vector<double> dy = fixture.random("dy", count(usual, variant));
    fixture.forward(usual, x);
    const std::vector<double> dx = fixture.backward(usual, x, dy);
    std::vector<double> once = fixture.gradients();
    CHECK(fixture.backward(usual, x, dy) == dx);
    for (double& value : once) value *= 2;
    CHECK(largest_difference(fixture.gradients(), once) < double_tolerance);
  });
}

TEST_CASE("every cell: step by step equals the whole sequence") {
  for_every_variant([](const Variant& variant) {
    CellFixture<double> fixture(variant, usual);
    std::vector<double> x = fixture.random("x", count(usual, variant));
    const std::vector<double> whole = fixture.forward(usual, x);
    std::vector<double> state = fixture.fresh_state(usual.batch, usual.steps);
    std::vector<double> stepped(whole.size());
    const Index width = fixture.width();
    std::vector<double> token(static_cast<std::size_t>(usual.batch * width));
    std::vector<double> out(token.size());
    for (Index t = 0; t < usual.steps; ++t) {
      for (Index b = 0; b < usual.batch; ++b) {
        std::copy_n(x.begin() + (b * usual.steps + t) * width, width, token.begin() + b * width);
      }
      fixture.cell->step({token.data(), usual.batch, width},
                         fixture.state_matrix(state, usual.batch),
                         {out.data(), usual.batch, width});
      for (Index b = 0; b < usual.batch; ++b) {
        std::copy_n(out.begin() + b * width, width,
                    stepped.begin() + (b * usual.steps + t) * width);
      }
    }
    CHECK(largest_difference(stepped, whole) < double_tolerance);
  });
}

TEST_CASE("every cell: two parts joined by the carried state equal the whole") {
  for_every_variant([](const Variant& variant) {
    CellFixture<double> fixture(variant, usual);
    std::vector<double> x = fixture.random("x", count(usual, variant));
    const std::vector<double> whole = fixture.forward(usual, x);
    std::vector<double> state = fixture.fresh_state(usual.batch, usual.steps);
    const rlt::Pass<double> pass{.state = fixture.state_matrix(state, usual.batch)};
    std::vector<double> joined(whole.size());
    const Index width = fixture.width();
    Index from = 0;
    for (const Index steps : {17, 20}) {
      const Extent part{usual.batch, steps};
      std::vector<double> piece(static_cast<std::size_t>(count(part, variant)));
      for (Index b = 0; b < usual.batch; ++b) {
        std::copy_n(x.begin() + (b * usual.steps + from) * width, steps * width,
                    piece.begin() + b * steps * width);
      }
      const std::vector<double> y = fixture.forward(part, piece, pass);
      for (Index b = 0; b < usual.batch; ++b) {
        std::copy_n(y.begin() + b * steps * width, steps * width,
                    joined.begin() + (b * usual.steps + from) * width);
      }
      from += steps;
    }
    CHECK(largest_difference(joined, whole) < double_tolerance);
  });
}

// More sequences than lanes, and so few that heads share lanes; several steps, then single ones; some start anew.
TEST_CASE("every cell: a state in lanes gives the bits of a state in rows") {
  for_every_variant([](const Variant& variant) {
    for (const Index batch : {rlt::lane_count<float> + 3, Index{5}, Index{1}}) {
      const Extent extent{batch, 4};
      CellFixture<float> fixture(variant, extent);
      const rlt::StateLayout layout = fixture.cell->state_layout(0);
      if (!layout.in_lanes) return;
      std::vector<float> rows = fixture.fresh_state(batch, 0);
      rlt::State<float> state(batch, {layout});
      const rlt::Matrix<float> as_rows = state.to_rows();
      std::copy(rows.begin(), rows.end(), as_rows.data);
      state.from_rows();
      for (const Index steps : {4, 1, 1}) {
        const Extent part{batch, steps};
        std::vector<float> x = fixture.random(fmt::format("x{}", steps), count(part, variant));
        std::vector<std::uint8_t> starts(static_cast<std::size_t>(part.rows()), 0);
        starts[steps - 1] = 1;
        starts[part.rows() - 1] = 1;
        const auto keep =
            steps == 1 ? rlt::Pass<float>::Keep::nothing : rlt::Pass<float>::Keep::tape;
        const std::vector<float> expected = fixture.forward(
            part, x,
            {.state = fixture.state_matrix(rows, batch), .starts = starts.data(), .keep = keep});
        CHECK(fixture.forward(part, x,
                              {.lanes = state.lanes(0), .starts = starts.data(), .keep = keep}) ==
              expected);
        const rlt::Matrix<float> after = state.to_rows();
        CHECK(std::equal(rows.begin(), rows.end(), after.data));
      }
    }
  });
}

namespace {

/// Some sequences read at once, behind a carried past: outputs, and the gradients for `dy`.
struct Passed {
  std::vector<double> y, dx, gradients;
};
Passed passed_by(CellFixture<double>& fixture, Extent extent, std::vector<double> x,
                 std::vector<double> dy, std::vector<double>& state,
                 const std::vector<std::uint8_t>& starts = {}) {
  Passed passed;
  fixture.parameters.zero_gradients();
  passed.y = fixture.forward(extent, x,
                             {.state = fixture.state_matrix(state, extent.batch),
                              .starts = starts.empty() ? nullptr : starts.data()});
  passed.dx = fixture.backward(extent, x, dy);
  passed.gradients = fixture.gradients();
  return passed;
}

}  // namespace

// The first of two sequences has a start mark inside, and both have a past. So it must be two sequences, one
// behind the past and one without any: in its outputs, in the gradients of its inputs and in what the
// parameters get; and its neighbour in the same vectors must not notice. Every place of a short sequence, and
// places around the steps at which states are kept.
TEST_CASE("every cell: a start mark makes two sequences of one, wherever it stands") {
  for_every_variant([](const Variant& variant) {
    for (const auto& [steps, places] :
         {std::pair<Index, std::vector<Index>>{9, {1, 2, 3, 4, 5, 6, 7, 8}},
          {37, {1, 15, 16, 17, 31, 32, 33, 34, 36}}}) {
      const Extent extent{2, steps};
      CellFixture<double> fixture(variant, extent);
      const Index width = fixture.width();
      const auto slice = [&](const std::vector<double>& rows, Index first, Index count) {
        return std::vector<double>(rows.begin() + first * width,
                                   rows.begin() + (first + count) * width);
      };
      std::vector<double> past = fixture.random("past", count(extent, variant));
      std::vector<double> behind = fixture.fresh_state(2, 2 * steps);
      fixture.forward(extent, past, {.state = fixture.state_matrix(behind, 2)});
      const auto half = std::ssize(behind) / 2;
      const std::vector<double> x = fixture.random("x", count(extent, variant));
      const std::vector<double> dy = fixture.random("dy", count(extent, variant));
      std::vector<double> state(behind.begin() + half, behind.end());
      const Passed neighbour =
          passed_by(fixture, {1, steps}, slice(x, steps, steps), slice(dy, steps, steps), state);
      for (const Index place : places) {
        CAPTURE(steps);
        CAPTURE(place);
        std::vector<std::uint8_t> starts(static_cast<std::size_t>(extent.rows()), 0);
        starts[place] = 1;
        state = behind;
        const Passed marked = passed_by(fixture, extent, x, dy, state, starts);

        state.assign(behind.begin(), behind.begin() + half);
        const Passed before =
            passed_by(fixture, {1, place}, slice(x, 0, place), slice(dy, 0, place), state);
        const Index rest = steps - place;
        // A start at the first step forgets what is carried.
        state.assign(behind.begin(), behind.begin() + half);
        starts.assign(static_cast<std::size_t>(rest), 0);
        starts[0] = 1;
        const Passed after = passed_by(fixture, {1, rest}, slice(x, place, rest),
                                       slice(dy, place, rest), state, starts);

        CHECK(largest_difference(slice(marked.y, 0, place), before.y) < double_tolerance);
        CHECK(largest_difference(slice(marked.y, place, rest), after.y) < double_tolerance);
        CHECK(largest_difference(slice(marked.y, steps, steps), neighbour.y) < double_tolerance);
        CHECK(largest_difference(slice(marked.dx, 0, place), before.dx) < double_tolerance);
        CHECK(largest_difference(slice(marked.dx, place, rest), after.dx) < double_tolerance);
        CHECK(largest_difference(slice(marked.dx, steps, steps), neighbour.dx) < double_tolerance);
        std::vector<double> sum = before.gradients;
        for (std::size_t i = 0; i < sum.size(); ++i) {
          sum[i] += after.gradients[i] + neighbour.gradients[i];
        }
        CHECK(largest_difference(marked.gradients, sum) < double_tolerance);
      }
    }
  });
}

TEST_CASE("every cell: no output sees a later input, and rows do not see each other") {
  for_every_variant([](const Variant& variant) {
    CellFixture<float> fixture(variant, usual);
    std::vector<float> x = fixture.random("x", count(usual, variant));
    const std::vector<float> before = fixture.forward(usual, x);
    constexpr Index row = 1;
    constexpr Index step = 23;
    const Index width = fixture.width();
    for (Index t = step; t < usual.steps; ++t) x[(row * usual.steps + t) * width] += 1.0F;
    const std::vector<float> after = fixture.forward(usual, x);
    bool same_elsewhere = true;
    bool changed_there = false;
    for (Index r = 0; r < usual.rows(); ++r) {
      const bool may_change = r / usual.steps == row && r % usual.steps >= step;
      const bool equal = std::equal(before.begin() + r * width, before.begin() + (r + 1) * width,
                                    after.begin() + r * width);
      if (!may_change) same_elsewhere = same_elsewhere && equal;
      if (may_change) changed_there = changed_there || !equal;
    }
    CHECK(same_elsewhere);
    CHECK(changed_there);
  });
}

TEST_CASE("every cell: 1, 2 and 3 threads give the same bits") {
  const int before = rlt::thread_count();
  for_every_variant([](const Variant& variant) {
    const Extent wide{35, 37};  // several groups of lanes, several blocks of rows
    std::vector<float> first_y;
    std::vector<float> first_gradients;
    for (const int threads : {1, 2, 3}) {
      rlt::set_thread_count(threads);
      CellFixture<float> fixture(variant, wide);
      std::vector<float> x = fixture.random("x", count(wide, variant));
      std::vector<float> dy = fixture.random("dy", count(wide, variant));
      const std::vector<float> y = fixture.forward(wide, x);
      const std::vector<float> dx = fixture.backward(wide, x, dy);
      std::vector<float> gradients = fixture.gradients();
      gradients.insert(gradients.end(), dx.begin(), dx.end());
      if (threads == 1) {
        first_y = y;
        first_gradients = gradients;
      }
      CHECK(y == first_y);
      CHECK(gradients == first_gradients);
    }
  });
  rlt::set_thread_count(before);
}

TEST_CASE("every cell: no heap call after construction") {
  for_every_variant([](const Variant& variant) {
    CellFixture<float> fixture(variant, usual);
    std::vector<float> x = fixture.random("x", count(usual, variant));
    std::vector<float> y(x.size());
    std::vector<float> dx(x.size());
    const rlt::Sequence<float> in = fixture.sequence(usual, x);
    const rlt::Sequence<float> out = fixture.sequence(usual, y);
    const auto run = [&] {
      fixture.cell->forward(in, {}, out);
      fixture.cell->backward(in, out, fixture.sequence(usual, dx));
    };
    run();
    const std::size_t before = rlt::allocations();
    for (int i = 0; i < 3; ++i) run();
    CHECK(rlt::allocations() == before);
  });
}

TEST_CASE("every cell: one step, and lengths around the checkpoint stride, fit the same memory") {
  for_every_variant([](const Variant& variant) {
    CellFixture<double> shared(variant, usual);
    for (const Extent extent :
         {Extent{3, 1}, Extent{1, 15}, Extent{2, 16}, Extent{3, 17}, Extent{1, 33}}) {
      CellFixture<double> own(variant, extent);
      std::vector<double> x = own.random("x", count(extent, variant));
      std::vector<double> dy = own.random("dy", count(extent, variant));
      shared.parameters.zero_gradients();
      CHECK(shared.forward(extent, x) == own.forward(extent, x));
      CHECK(shared.backward(extent, x, dy) == own.backward(extent, x, dy));
      CHECK(shared.gradients() == own.gradients());
    }
  });
}

TEST_CASE("every cell: a pass that keeps nothing has the same bits") {
  for_every_variant([](const Variant& variant) {
    CellFixture<float> fixture(variant, usual);
    std::vector<float> x = fixture.random("x", count(usual, variant));
    std::vector<float> state = fixture.fresh_state(usual.batch, 2 * usual.steps);
    std::vector<float> other = state;
    std::vector<std::uint8_t> starts(static_cast<std::size_t>(usual.rows()));
    starts[3] = starts[static_cast<std::size_t>(usual.steps) + 32] = 1;
    for (int repeat = 0; repeat < 2; ++repeat) {
      const std::vector<float> y = fixture.forward(
          usual, x, {.state = fixture.state_matrix(state, usual.batch), .starts = starts.data()});
      CHECK(y == fixture.forward(usual, x,
                                 {.state = fixture.state_matrix(other, usual.batch),
                                  .starts = starts.data(),
                                  .keep = rlt::Pass<float>::Keep::nothing}));
      CHECK(state == other);
    }
  });
}

TEST_CASE("every cell: zero and huge inputs stay finite") {
  for_every_variant([](const Variant& variant) {
    for (const double scale : {0.0, 1e4}) {
      if (scale > 1 && support::may_grow(variant)) continue;
      CellFixture<float> fixture(variant, usual);
      std::vector<float> x = fixture.random("x", count(usual, variant), scale);
      std::vector<float> dy = fixture.random("dy", count(usual, variant));
      std::vector<float> all = fixture.forward(usual, x);
      const std::vector<float> dx = fixture.backward(usual, x, dy);
      const std::vector<float> gradients = fixture.gradients();
      all.insert(all.end(), dx.begin(), dx.end());
      all.insert(all.end(), gradients.begin(), gradients.end());
      CHECK(std::ranges::all_of(all, [](float value) { return std::isfinite(value); }));
    }
  });
}
