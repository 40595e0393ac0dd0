#include <doctest/doctest.h>

#include <algorithm>

#include "tasks/environment.hpp"

using namespace rlt;

namespace {

/// The return of an agent that says what it saw `memory` steps ago.
float earned(const std::string& delay, Index memory) {
  const std::unique_ptr<Environment> echo = make_environment("echo", {{"delay", delay}});
  echo->resize(1);
  std::vector<float> observation(4);
  echo->reset(0, Rng(4), observation.data());
  std::vector<int> seen;
  std::vector<float> reward(1);
  std::vector<std::uint8_t> ended(1, 0);
  float sum = 0;
  while (ended[0] == 0) {
    CHECK(std::ranges::count(observation, 1.0F) == 1);
    CHECK(std::ranges::count(observation, 0.0F) == 3);
    seen.push_back(static_cast<int>(std::ranges::find(observation, 1.0F) - observation.begin()));
    const Index step = std::ssize(seen) - 1;
    const std::vector<int> action = {seen[std::max<Index>(0, step - memory)]};
    echo->act(action, {observation.data(), 1, 4}, reward, ended);
    if (step < std::stoll(delay)) CHECK(reward[0] == 0);
    sum += reward[0];
  }
  CHECK(std::ssize(seen) == echo->info().longest);
  return sum;
}

}  // namespace

TEST_CASE("echo: who remembers the right symbol earns 1, who remembers another earns less") {
  for (const char* delay : {"0", "1", "3", "8"}) {
    CAPTURE(delay);
    CHECK(earned(delay, std::stoll(delay)) == doctest::Approx(1));
    CHECK(earned(delay, std::stoll(delay) + 1) < 0.9F);
  }
}
