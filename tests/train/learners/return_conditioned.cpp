// Runs that stop and go on, and threads: tests/train/acting.cpp.
#include "train/learners/return_conditioned.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "base/allocations.hpp"
#include "support/one_thread.hpp"
#include "tasks/behaviour.hpp"
#include "train/play.hpp"
#include "train/return_conditioning.hpp"

using namespace rlt;

namespace {

RunConfig config_of(const std::string& cell, Index segment) {
  RunConfig config;
  config.task = "cartpole_po";
  config.learner = "return_conditioned";
  config.data = "recorded.csv";  // nobody reads it: the tests give the episodes
  config.cell = cell;
  config.d_model = 8;
  config.heads = 2;
  config.layers = 1;
  config.ff = 1;
  config.hidden = 0;
  config.batch = 5;
  config.segment = segment;
  config.steps = 10;
  complete_acting(config);
  return config;
}

/// Steps that earn 0 or 1, so that the return is known; the action tells of it.
Trajectory told_by_return(Index steps, bool is_good) {
  Trajectory trajectory;
  trajectory.episode = is_good ? "good" : "bad";
  for (Index t = 0; t < steps; ++t) {
    trajectory.observations.insert(trajectory.observations.end(), {0.01F * float(t), 0.0F});
    trajectory.actions.push_back(is_good ? 1 : 0);
    trajectory.rewards.push_back(is_good ? 1.0F / float(steps) : 0.0F);
  }
  return trajectory;
}

}  // namespace

TEST_CASE("return_conditioned: an update goes down the gradient of the loss that it tells") {
  const test::OneThread one_thread;
  const auto environment = make_environment("cartpole_po", {});
  const std::vector<Trajectory> recorded = record(*environment, "medium", 12, 1);
  for (const std::string cell : {"gru", "aaren", "transformer"}) {
    CAPTURE(cell);
    RunConfig config = config_of(cell, 17);
    config.optimizer = "sgd";
    config.momentum = 0;
    config.learning_rate = 1;
    const auto learner = make_return_conditioned<double>(config, *environment, recorded);
    ParameterSet<double>& parameters = learner->model().parameters();
    const Index size = parameters.flat_size();
    const std::vector<double> before(parameters.values(), parameters.values() + size);
    TrainingState state;
    state.step = 1;
    const auto loss_at = [&](Index moved, double by) {
      std::copy(before.begin(), before.end(), parameters.values());
      parameters.values()[moved] += by;
      learner->prepare(1);
      learner->update(state);
      return state.last_loss;
    };
    loss_at(0, 0);
    const std::vector<double> after(parameters.values(), parameters.values() + size);
    // Central differences of step 1e-5 in double: 1e-6 of what they measure, or of 1e-3.
    constexpr double step = 1e-5, tolerance = 1e-6;
    double largest = 0;
    for (Index i = 0; i < size; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const double slope = (loss_at(i, step) - loss_at(i, -step)) / (2 * step);
      largest = std::max(largest, std::abs(slope));
      CHECK(std::abs(before[at] - after[at] - slope) <=
            tolerance * (std::abs(slope) + 1e-3) + 1e-9);
    }
    CHECK(largest > 1e-3);
  }
}

TEST_CASE("return_conditioned: no update calls the heap, in windows and in whole episodes") {
  const test::OneThread one_thread;
  const auto environment = make_environment("cartpole_po", {});
  const std::vector<Trajectory> recorded = record(*environment, "replay", 25, 1);
  for (const Index segment : {1, 20, 200}) {
    for (const std::string cell : {"gru", "aaren", "deltanet", "transformer"}) {
      CAPTURE(segment);
      CAPTURE(cell);
      const auto learner =
          make_return_conditioned<float>(config_of(cell, segment), *environment, recorded);
      TrainingState state;
      std::size_t calls = 0;
      for (state.step = 1; state.step <= 6; ++state.step) {
        const std::size_t until_now = allocations();
        learner->prepare(state.step);
        learner->update(state);
        if (state.step > 1) calls += allocations() - until_now;
      }
      CHECK(calls == 0);
    }
  }
}

TEST_CASE(
    "return_conditioned: every tenth episode is held out, and fewer than ten select for "
    "themselves") {
  const test::OneThread one_thread;
  const auto environment = make_environment("cartpole_po", {});
  const RunConfig config = config_of("gru", 200);
  const auto loss_of = [&](const std::vector<Trajectory>& recorded) {
    TrainingState state;
    return make_return_conditioned<float>(config, *environment, recorded)->validate(state).loss;
  };
  std::vector<Trajectory> recorded = record(*environment, "medium", 20, 1);
  const double held_out = loss_of(recorded);
  std::swap(recorded[0], recorded[8]);
  CHECK(loss_of(recorded) == held_out);
  std::swap(recorded[8], recorded[19]);
  CHECK(loss_of(recorded) != held_out);
  const double one = loss_of({recorded[3]}), other = loss_of({recorded[4]});
  const double both = loss_of({recorded[3], recorded[4]});
  CHECK(std::min(one, other) < both);
  CHECK(both < std::max(one, other));
}

TEST_CASE("return_conditioned: windows reach every step of an episode, and no further") {
  const test::OneThread one_thread;
  const auto environment = make_environment("cartpole_po", {});
  RunConfig config = config_of("gru", 8);
  config.batch = 50;
  TrainingState state;
  const auto tokens_of = [&](const std::vector<Trajectory>& recorded) {
    const auto learner = make_return_conditioned<float>(config, *environment, recorded);
    state = {};
    state.step = 1;
    learner->prepare(1);
    learner->update(state);
    return state.tokens;
  };
  CHECK(tokens_of({told_by_return(3, true)}) == 50 * 3);
  CHECK(tokens_of({told_by_return(8, true)}) == 50 * 8);
  CHECK(tokens_of({told_by_return(9, true)}) == 50 * 8);
  // 25 windows of 8 steps against one of 1: the short episode is drawn about twice in 50.
  const Index mixed = tokens_of({told_by_return(200, true), told_by_return(1, false)});
  CHECK(mixed > 50 * 8 - 7 * 12);
}

TEST_CASE("return_conditioned: the policy does what earned the return that it is asked for") {
  const test::OneThread one_thread;
  const auto environment = make_environment("cartpole_po", {});
  const std::vector<Trajectory> recorded = {told_by_return(20, true), told_by_return(20, false)};
  for (const std::string cell : {"gru", "aaren"}) {
    CAPTURE(cell);
    RunConfig config = config_of(cell, 20);
    config.batch = 8;
    config.learning_rate = 0.02;
    const auto learner = make_return_conditioned<float>(config, *environment, recorded);
    TrainingState state;
    for (state.step = 1; state.step <= 100; ++state.step) {
      learner->prepare(state.step);
      learner->update(state);
    }
    CHECK(state.last_loss < 0.1);
    const auto first_action = [&](double target) {
      ReturnConditioned asked(make_environment("cartpole_po", {}), target,
                              return_scale(environment->info()));
      return play_one(learner->model(), asked, 3, Choice::greedy).front().action;
    };
    CHECK(first_action(1) == 1);
    CHECK(first_action(0) == 0);
  }
}
