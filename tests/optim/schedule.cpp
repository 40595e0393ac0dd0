// Schedule of optim/optimizer.hpp.
#include <doctest/doctest.h>

#include <cmath>
#include <numbers>

#include "optim/optimizer.hpp"

using rlt::Index;
using rlt::Schedule;

namespace {

doctest::Approx about(double expected) { return doctest::Approx(expected).epsilon(1e-12); }

}  // namespace

TEST_CASE("schedule: constant is the learning rate from the first step on") {
  const Schedule schedule{.kind = "constant", .learning_rate = 0.3, .steps = 10};
  for (const Index step : {1, 2, 10, 1000}) CHECK(schedule.at(step) == 0.3);
}

TEST_CASE(
    "schedule: warm-up rises by equal shares and reaches the learning rate at its last step") {
  for (const char* kind : {"constant", "cosine"}) {
    CAPTURE(kind);
    const Schedule schedule{.kind = kind, .learning_rate = 0.8, .warmup = 4, .steps = 1000};
    CHECK(schedule.at(1) == about(0.2));
    CHECK(schedule.at(2) == about(0.4));
    CHECK(schedule.at(3) == about(0.6));
    CHECK(schedule.at(4) == about(0.8));
  }
  const Schedule constant{.kind = "constant", .learning_rate = 0.8, .warmup = 4};
  CHECK(constant.at(5) == about(0.8));
  CHECK(constant.at(6) == about(0.8));
  CHECK(Schedule{.learning_rate = 0.8, .warmup = 1}.at(1) == about(0.8));
}

TEST_CASE("schedule: cosine falls from the learning rate over its half in the middle to zero") {
  const Schedule schedule{.kind = "cosine", .learning_rate = 0.8, .steps = 12};
  CHECK(schedule.at(1) == about(0.4 * (1 + std::cos(std::numbers::pi / 12))));
  CHECK(schedule.at(4) == about(0.4 * 1.5));  // cos(60 degrees)
  CHECK(schedule.at(6) == about(0.4));
  CHECK(schedule.at(8) == about(0.4 * 0.5));
  CHECK(std::abs(schedule.at(12)) < 1e-15);
  CHECK(std::abs(schedule.at(13)) < 1e-15);  // and stays there
  CHECK(std::abs(schedule.at(1000)) < 1e-15);
  for (Index step = 1; step < 12; ++step) CHECK(schedule.at(step) > schedule.at(step + 1));
}

TEST_CASE("schedule: cosine begins after the warm-up and ends at the last step") {
  const Schedule schedule{.kind = "cosine", .learning_rate = 0.8, .warmup = 4, .steps = 16};
  CHECK(schedule.at(2) == about(0.4));
  CHECK(schedule.at(4) == about(0.8));  // the peak
  CHECK(schedule.at(5) == about(0.4 * (1 + std::cos(std::numbers::pi / 12))));
  CHECK(schedule.at(10) == about(0.4));  // the middle of 4 .. 16
  CHECK(std::abs(schedule.at(16)) < 1e-15);
}

TEST_CASE("schedule: cosine ends at the final fraction of the peak") {
  const Schedule schedule{
      .kind = "cosine", .learning_rate = 0.8, .warmup = 2, .steps = 12, .final_fraction = 0.25};
  CHECK(schedule.at(1) == about(0.4));  // the warm-up knows nothing of it
  CHECK(schedule.at(2) == about(0.8));
  CHECK(schedule.at(7) == about((0.8 + 0.2) / 2));
  CHECK(schedule.at(12) == about(0.2));
  CHECK(schedule.at(50) == about(0.2));
}

TEST_CASE("schedule: a warm-up that is as long as the run leaves nothing to fall") {
  const Schedule schedule{.kind = "cosine", .learning_rate = 0.8, .warmup = 8, .steps = 8};
  CHECK(schedule.at(4) == about(0.4));
  CHECK(schedule.at(8) == about(0.8));
  CHECK(schedule.at(9) == about(0.8));
}

TEST_CASE("schedule: rsqrt divides by the root of the step, and warms up to that of its last one") {
  const Schedule schedule{.kind = "rsqrt", .learning_rate = 2, .warmup = 4};
  CHECK(schedule.at(1) == about(2 * 0.25 / 2));
  CHECK(schedule.at(3) == about(2 * 0.75 / 2));
  CHECK(schedule.at(4) == about(1));
  CHECK(schedule.at(16) == about(0.5));
  CHECK(schedule.at(10000) == about(0.02));
  CHECK(Schedule{.kind = "rsqrt", .learning_rate = 2}.at(1) == about(2));
}
