#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "tests/support/play.hpp"

using namespace rlt;

namespace {

/// The equations one by one, with forces and torques of the whole system solved for both accelerations:
///   (M + m) x'' + m l theta'' cos = F + m l theta'^2 sin
///   x'' cos + 4/3 l theta''       = g sin
/// (a rod of length 2 l on a hinge), which is where the formula of the environment comes from.
class SlowPole {
 public:
  SlowPole(double noise, int limit, bool honest, const Rng& rng)
      : noise_(noise), limit_(limit), honest_(honest), rng_(rng) {
    for (std::size_t i = 0; i < 4; ++i) {
      state_[i] = -0.05 + 0.1 * rng.uniform(static_cast<Index>(i));
    }
  }

  std::vector<float> observe() const {
    const Rng draws = rng_.stream("noise");
    double x = state_[0] + noise_ * draws.normal(2 * steps_);
    double theta = state_[2] + noise_ * draws.normal(2 * steps_ + 1);
    x = std::min(std::max(x, -4.8), 4.8);
    theta = std::min(std::max(theta, -0.418879), 0.418879);
    return {static_cast<float>(x), static_cast<float>(theta)};
  }

  float act(int action) {
    constexpr double cart = 1.0, pole = 0.1, half = 0.5, g = 9.8;
    const double force = action == 1 ? 10 : -10;
    const double sine = std::sin(state_[2]), cosine = std::cos(state_[2]);
    // Cramer's rule for (x'', theta'')
    const double a = cart + pole, b = pole * half * cosine, c = cosine, d = 4.0 / 3 * half;
    const double e = force + pole * half * state_[3] * state_[3] * sine, f = g * sine;
    const double x_push = (e * d - b * f) / (a * d - b * c);
    const double theta_push = (a * f - c * e) / (a * d - b * c);
    state_ = {state_[0] + 0.02 * state_[1], state_[1] + 0.02 * x_push, state_[2] + 0.02 * state_[3],
              state_[3] + 0.02 * theta_push};
    ++steps_;
    return failed() && honest_ ? -1.0F : 1.0F / static_cast<float>(limit_);
  }
  bool ended() const { return failed() || steps_ == limit_; }
  bool failed() const {
    return std::max(state_[0], -state_[0]) > 2.4 || std::max(state_[2], -state_[2]) > 0.20943951;
  }
  const std::array<double, 4>& state() const { return state_; }

 private:
  double noise_;
  int limit_;
  bool honest_;
  Rng rng_;
  std::array<double, 4> state_{};
  int steps_ = 0;
};

std::unique_ptr<Environment> cartpole(const std::string& noise = "0",
                                      const std::string& limit = "200",
                                      const std::string& failure = "gymnasium") {
  return make_environment("cartpole_po",
                          {{"noise", noise}, {"limit", limit}, {"failure", failure}});
}

// The two solve the same equations in another order; what lies between is far below a float's rounding.
constexpr float tolerance = 2e-6F;

/// A balancing policy that sees all in a model of its own, played beside the environment: for some hundred
/// steps, since the model's rounding grows as a pole that nobody balances falls.
auto balancer(const Rng& rng) {
  return [model = SlowPole(0, 1'000'000, false, rng)](const std::vector<float>&) mutable {
    const auto [x, x_speed, theta, theta_speed] = model.state();
    const int action = 0.1 * x + 0.3 * x_speed + 3 * theta + theta_speed > 0 ? 1 : 0;
    model.act(action);
    return action;
  };
}

}  // namespace

TEST_CASE("cartpole_po: the same episodes as an independent solution of the equations of motion") {
  for (const bool honest : {false, true}) {
    for (const char* noise : {"0", "0.1", "3"}) {
      const auto environment = cartpole(noise, "220", honest ? "honest" : "gymnasium");
      for (std::uint64_t seed = 0; seed < 30; ++seed) {
        CAPTURE(seed);
        const Rng rng(seed);
        const SlowPole slow(std::stod(noise), 220, honest, rng);
        test::check_same(*environment, slow, rng, test::uniform(*environment, Rng(seed + 100)),
                         tolerance);
        test::check_same(*environment, slow, rng, balancer(rng), tolerance);
      }
    }
  }
}

TEST_CASE("cartpole_po: a pole that stands to the limit earns 1, one that falls its share") {
  for (const bool honest : {false, true}) {
    const auto environment = cartpole("0", "300", honest ? "honest" : "gymnasium");
    const test::Episode stood = test::play(*environment, Rng(3), balancer(Rng(3)));
    CHECK(stood.length() == 300);
    CHECK(stood.succeeded);
    CHECK(stood.earned() == doctest::Approx(1));
    const test::Episode fell =
        test::play(*environment, Rng(3), [](const std::vector<float>&) { return 1; });
    CHECK(fell.length() < 20);
    CHECK_FALSE(fell.succeeded);
    const auto length = static_cast<double>(fell.length());
    CHECK(fell.earned() == doctest::Approx(honest ? (length - 1) / 300 - 1 : length / 300));
  }
}

TEST_CASE("cartpole_po: noise has its deviation, is new at every step, and is cut") {
  const auto exact = cartpole(), noisy = cartpole("0.1"), blind = cartpole("10");
  double squares = 0, products = 0, count = 0;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const Rng rng(seed);
    const test::Episode truth = test::play(*exact, rng, balancer(rng));
    const test::Episode seen = test::play(*noisy, rng, balancer(rng));
    REQUIRE(truth.length() == 200);
    REQUIRE(seen.length() == 200);
    double last = 0;
    for (std::size_t step = 0; step <= 200; ++step) {
      const double noise = double(seen.observations[step][0]) - double(truth.observations[step][0]);
      squares += noise * noise;
      products += noise * last;
      last = noise;
      ++count;
    }
    for (const std::vector<float>& observation :
         test::play(*blind, rng, balancer(rng)).observations) {
      CHECK(std::abs(observation[0]) <= 4.80001F);
      CHECK(std::abs(observation[1]) <= 0.41888F);
    }
  }
  // five standard deviations of a variance and of a correlation over so many draws
  CHECK(squares / count == doctest::Approx(0.01).epsilon(5 * std::sqrt(2 / count)));
  CHECK(std::abs(products / squares) < 5 / std::sqrt(count));
}

TEST_CASE("measured: cartpole_po under uniform actions" * doctest::skip()) {
  const auto environment = cartpole();
  constexpr int episodes = 4'000'000;
  double sum = 0, squares = 0;
  Index longest = 0;
  for (int i = 0; i < episodes; ++i) {
    const Rng rng = Rng(1).stream(static_cast<std::uint64_t>(i));
    const test::Episode episode =
        test::play(*environment, rng, test::uniform(*environment, rng.stream("actions")));
    const auto length = static_cast<double>(episode.length());
    sum += length;
    squares += length * length;
    longest = std::max(longest, episode.length());
  }
  const double mean = sum / episodes;
  const double error = std::sqrt((squares / episodes - mean * mean) / episodes);
  MESSAGE("actions until failure: ", mean, " +- ", error, ", most ", longest);
  CHECK(std::abs(mean / 200 - environment->info().random_return) <= 5 * error / 200);
  CHECK(longest < 200);
}
