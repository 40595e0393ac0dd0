#include "train/return_conditioning.hpp"

#include <doctest/doctest.h>

#include "tasks/behaviour.hpp"

using namespace rlt;

TEST_CASE(
    "return conditioning: every step reads the rewards still to come, what is seen, and the action "
    "before") {
  for (const char* name : {"cartpole_po", "tmaze"}) {
    CAPTURE(name);
    const auto environment = make_environment(name, {});
    const EnvironmentInfo& info = environment->info();
    const double scale = return_scale(info);
    for (const Trajectory& trajectory : record(*environment, "medium", 4, 3)) {
      const Example example = conditioned(trajectory, info, scale);
      const Index size = 1 + info.observations + info.actions;
      REQUIRE(std::ssize(example.reals) == trajectory.steps() * size);
      CHECK(example.targets == trajectory.actions);
      CHECK(std::ssize(example.tokens) == trajectory.steps());
      for (Index t = 0; t < trajectory.steps(); ++t) {
        const float* x = example.reals.data() + t * size;
        double to_go = 0;
        for (Index later = t; later < trajectory.steps(); ++later) {
          to_go += static_cast<double>(trajectory.rewards[static_cast<std::size_t>(later)]);
        }
        CHECK(*x++ == doctest::Approx(to_go / scale).epsilon(1e-6));
        for (Index i = 0; i < info.observations; ++i) {
          const Index at = t * info.observations + i;
          CHECK(*x++ == trajectory.observations[static_cast<std::size_t>(at)]);
        }
        for (int action = 0; action < info.actions; ++action) {
          const bool was_taken =
              t > 0 && trajectory.actions[static_cast<std::size_t>(t - 1)] == action;
          CHECK(*x++ == (was_taken ? 1.0F : 0.0F));
        }
      }
    }
  }
}

// A sum of 200 rewards in another order: far below what a float shows of it.
TEST_CASE(
    "return conditioning: who acts for the return of an episode reads what was recorded of it") {
  constexpr double tolerance = 1e-6;
  for (const char* name : {"cartpole_po", "tmaze"}) {
    CAPTURE(name);
    const auto environment = make_environment(name, {});
    const EnvironmentInfo& info = environment->info();
    const double scale = return_scale(info);
    const Rng rng(11);
    const Trajectory other = play_behaviour(*environment, Rng(12), 0.5);
    const Trajectory trajectory = play_behaviour(*environment, rng, 0.5);
    const Example example = conditioned(trajectory, info, scale);
    ReturnConditioned acted(make_environment(name, {}), trajectory.earned(), scale);
    const Index size = acted.info().observations;
    REQUIRE(size == conditioned_size(info));
    // Row 1 of two, after an episode of another one there.
    acted.resize(2);
    std::vector<float> seen(static_cast<std::size_t>(2 * size));
    const Matrix<float> rows(seen.data(), 2, size);
    std::vector<float> rewards(2);
    std::vector<std::uint8_t> ended(2);
    const auto act = [&](const Trajectory& played, Index step) {
      const int action = played.actions[static_cast<std::size_t>(step)];
      acted.act(std::vector<int>{0, action}, rows, rewards, ended);
      if (ended[0] != 0) acted.reset(0, Rng(1), rows.row(0));
    };
    acted.reset(0, Rng(1), rows.row(0));
    acted.reset(1, Rng(12), rows.row(1));
    for (Index step = 0; step < other.steps(); ++step) act(other, step);
    REQUIRE(ended[1] == 1);
    acted.reset(1, rng, rows.row(1));
    for (Index step = 0; step < trajectory.steps(); ++step) {
      for (Index i = 0; i < size; ++i) {
        const float recorded = example.reals[static_cast<std::size_t>(step * size + i)];
        CHECK(static_cast<double>(rows.row(1)[i]) ==
              doctest::Approx(static_cast<double>(recorded)).epsilon(tolerance));
      }
      act(trajectory, step);
    }
    CHECK(ended[1] == 1);
    CHECK(static_cast<double>(rows.row(1)[0]) == doctest::Approx(0).epsilon(tolerance));
  }
}
