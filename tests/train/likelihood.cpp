#include "train/likelihood.hpp"

#include <doctest/doctest.h>

using namespace rlt;

TEST_CASE("likelihood: a head has as many outputs as the task's loss reads") {
  TaskInfo info;
  info.outputs = {"a", "b", "c"};
  CHECK(likelihood_outputs(info) == 3);
  info.likelihood = Likelihood::events;
  CHECK(likelihood_outputs(info) == 3 * 8 + 3);
  info.outputs = {"a"};
  CHECK(likelihood_outputs(info) == 3 * 8);  // a mark that is always the same is not foretold
  info.likelihood = Likelihood::forecast;
  info.features = 7;
  info.real_targets = 7 * (96 + 2);
  CHECK(likelihood_outputs(info) == 7 * 96);
}
