#include "losses/event_mixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "base/gradient_check.hpp"
#include "base/parallel.hpp"
#include "losses/normal_tail.hpp"
#include "support/numbers.hpp"

using namespace rlt;

namespace {

constexpr Index C = EventMixture<double>::components;
constexpr float none = std::numeric_limits<float>::quiet_NaN();

/// One position.
struct Asked {
  float tau;
  float seen;
  int mark;
};

template <typename T>
Score apply(const Asked& asked, Index marks, T scale, std::vector<T>& outputs) {
  const std::array<float, 2> reals = {asked.tau, asked.seen};
  const Targets targets{.extent = {1, 1}, .classes = &asked.mark, .reals = {reals.data(), 1, 2}};
  const EventMixture<T> loss(marks);
  REQUIRE(std::ssize(outputs) == loss.outputs());
  Score score;
  loss.apply(targets, scale, {outputs.data(), 1, loss.outputs()}, {&score, 1});
  return score;
}

/// C equal components: one log-normal.
std::vector<double> one_component(double mu, double sigma) {
  std::vector<double> outputs(3 * C, 0);
  std::fill_n(outputs.begin() + C, C, mu);
  std::fill_n(outputs.begin() + 2 * C, C,
              std::log(std::expm1(sigma - EventMixture<double>::smallest_sigma)));
  return outputs;
}

double sum_of(const std::vector<double>& outputs, Index begin) {
  double sum = 0;
  for (Index c = 0; c < C; ++c) sum += outputs[begin + c];
  return sum;
}

/// Every entry of the gradient against differences, as large as the loss allows.
void check_gradient(const Asked& asked, Index marks, std::vector<double> outputs) {
  std::vector<double> gradient = outputs;
  const double size = std::abs(apply(asked, marks, 1.0, gradient).loss);
  REQUIRE(std::isfinite(size));
  const GradientTolerance tolerance{.smallest = std::max(1.0, size)};
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    CAPTURE(i);
    const auto loss = [&] { return apply(asked, marks, 0.0, outputs).loss; };
    CHECK(gradient_error(outputs[i], gradient[i], loss, tolerance) < tolerance.error);
  }
}

}  // namespace

TEST_CASE("event mixture: numbers that it reads") {
  CHECK(EventMixture<float>(1).outputs() == 3 * C);
  CHECK(EventMixture<float>(5).outputs() == 3 * C + 5);
}

TEST_CASE("event mixture: one component is the log-normal, seen and censored") {
  constexpr double mu = 0.4, sigma = 0.7;
  const double tau = 2.5F, x = std::log(tau), z = (x - mu) / sigma;
  const double slope = -std::expm1(-(sigma - EventMixture<double>::smallest_sigma));  // dsigma/ds

  std::vector<double> outputs = one_component(mu, sigma);
  const Score seen = apply({2.5F, 1, 0}, 1, 1.0, outputs);
  const double density = std::exp(-z * z / 2) / (tau * sigma * std::sqrt(2 * std::numbers::pi));
  CHECK(seen.loss == doctest::Approx(-std::log(density)).epsilon(1e-14));
  CHECK(sum_of(outputs, C) == doctest::Approx(-z / sigma).epsilon(1e-12));
  CHECK(sum_of(outputs, 2 * C) == doctest::Approx((1 - z * z) / sigma * slope).epsilon(1e-12));
  for (Index c = 0; c < C; ++c) CHECK(std::abs(outputs[c]) < 1e-15);

  outputs = one_component(mu, sigma);
  const Score censored = apply({2.5F, 0, -1}, 1, 1.0, outputs);
  const double survival = std::erfc(z / std::numbers::sqrt2) / 2;
  const double hazard = density * tau * sigma / survival;
  CHECK(censored.loss == doctest::Approx(-std::log(survival)).epsilon(1e-14));
  CHECK(sum_of(outputs, C) == doctest::Approx(-hazard / sigma).epsilon(1e-12));
  CHECK(sum_of(outputs, 2 * C) == doctest::Approx(-hazard * z / sigma * slope).epsilon(1e-12));
}

TEST_CASE("event mixture: gradients of every output are those of differences") {
  std::vector<double> outputs = support::numbers(3 * C + 5, 21);
  for (double& output : outputs) output *= 2;
  for (const float tau : {0.01F, 0.8F, 1.0F, 37.0F}) {
    CAPTURE(tau);
    check_gradient({tau, 1, 3}, 5, outputs);
    check_gradient({tau, 0, -1}, 5, outputs);
  }
}

TEST_CASE("event mixture: extreme outputs and times keep exact gradients") {
  std::vector<double> outputs = support::numbers(3 * C, 22);
  for (Index c = 0; c < C; ++c) {
    outputs[c] *= 60;
    outputs[C + c] *= 40;
    outputs[2 * C + c] *= 12;
  }
  std::vector<double> narrow = outputs;  // tails beyond what erfc can tell from 0
  for (Index c = 0; c < C; ++c) {
    narrow[C + c] = static_cast<double>(c) / 10;
    narrow[2 * C + c] = -4 + static_cast<double>(c) / 3;
  }
  for (const float tau : {0.0F, 1e-30F, 1e-3F, 2.0F, 1e3F, 1e30F}) {
    for (const float seen : {0.0F, 1.0F}) {
      CAPTURE(tau);
      CAPTURE(seen);
      check_gradient({tau, seen, 0}, 1, outputs);
      check_gradient({tau, seen, 0}, 1, narrow);
    }
  }
}

TEST_CASE_TEMPLATE("event mixture: loss and errors stay finite for huge outputs", T, float,
                   double) {
  for (const T mu : {T(-1e30), T(-200), T(200), T(1e30)}) {
    for (const T raw : {T(-1e30), T(-50), T(50), T(1e15)}) {
      for (const float seen : {0.0F, 1.0F}) {
        std::vector<T> outputs(3 * C, mu);
        std::fill_n(outputs.begin() + 2 * C, C, raw);
        const Score score = apply({1.5F, seen, 0}, 1, T(0), outputs);
        CHECK(std::isfinite(score.loss));
        CHECK(std::isfinite(score.squared_error));
      }
    }
  }
}

TEST_CASE("event mixture: the score by hand") {
  // w = 1/4 and 3/4 on two components, nothing on the others
  std::vector<double> row(3 * C + 2, -1000);
  row[0] = 0;
  row[1] = std::log(3.0);
  const std::vector<double> first = one_component(0.2, 0.5), second = one_component(-0.3, 0.9);
  for (const Index place : {C, 2 * C}) {
    row[place] = first[place];
    row[place + 1] = second[place];
  }
  row[3 * C] = 0;  // marks: 1/5, 4/5
  row[3 * C + 1] = std::log(4.0);
  const auto phi = [](double z) { return std::exp(-z * z / 2) / std::sqrt(2 * std::numbers::pi); };
  const auto tail = [](double z) { return std::erfc(z / std::numbers::sqrt2) / 2; };
  const auto density = [&](double tau) {
    const double x = std::log(tau);
    return (phi((x - 0.2) / 0.5) / 0.5 / 4 + 3 * phi((x + 0.3) / 0.9) / 0.9 / 4) / tau;
  };
  const double survival =
      tail((std::log(3.0) - 0.2) / 0.5) / 4 + 3 * tail((std::log(3.0) + 0.3) / 0.9) / 4;
  const double mean = std::exp(0.2 + 0.125) / 4 + 3 * std::exp(-0.3 + 0.405) / 4;

  const std::array<float, 10> reals = {0.5F, 1, 2, 1, 3, 0, none, none, 1, 1};
  const std::array<int, 5> marks = {1, 0, -1, -1, 1};
  const Targets targets{.extent = {1, 5}, .classes = marks.data(), .reals = {reals.data(), 5, 2}};
  const EventMixture<double> loss(2);
  const Index width = loss.outputs();
  std::vector<double> outputs;
  for (int i = 0; i < 5; ++i) outputs.insert(outputs.end(), row.begin(), row.end());
  const std::vector<double> untouched = outputs;
  Score score;
  CHECK(loss.scored(targets) == 3);
  loss.apply(targets, 0, {outputs.data(), 5, width}, {&score, 1});
  CHECK(outputs == untouched);

  const double time =
      -std::log(density(0.5)) - std::log(density(2)) - std::log(density(1)) - std::log(survival);
  CHECK(score.time_loss == doctest::Approx(time).epsilon(1e-13));
  CHECK(score.loss == doctest::Approx(time - 2 * std::log(0.8) - std::log(0.2)).epsilon(1e-13));
  CHECK(score.tokens == 3);
  CHECK(score.tokens_correct == 2);
  CHECK(score.numbers == 3);
  const double a = mean - 0.5, b = mean - 2, c = mean - 1;
  CHECK(score.squared_error == doctest::Approx(a * a + b * b + c * c).epsilon(1e-13));
  CHECK(score.absolute_error ==
        doctest::Approx(std::abs(a) + std::abs(b) + std::abs(c)).epsilon(1e-13));
  CHECK(score.loss_per_token() == score.loss / 3);

  Score trained;
  loss.apply(targets, 0.5, {outputs.data(), 5, width}, {&trained, 1});
  CHECK(trained.loss == score.loss);
  for (Index i = 0; i < width; ++i) CHECK(outputs[3 * width + i] == 0);  // nothing is asked
  CHECK(outputs[2 * width + 3 * C] == 0);                                // no mark was seen
  CHECK(outputs[3 * C] == doctest::Approx(0.5 * 0.2));
  CHECK(outputs[width + 3 * C] == doctest::Approx(0.5 * (0.2 - 1)));
}

TEST_CASE(
    "event mixture: sequences of a batch are counted apart, with the same bits for every thread "
    "count") {
  constexpr Index batch = 3, steps = 5, marks = 4;
  const EventMixture<float> loss(marks);
  const Index width = loss.outputs();
  const std::vector<float> given = support::numbers<float>(batch * steps * width, 24);
  std::vector<float> reals;
  std::vector<int> classes;
  for (int i = 0; i < batch * steps; ++i) {
    const bool seen = i % 4 != 3, asked = i % 7 != 5;
    reals.push_back(asked ? 0.3F + static_cast<float>(i) / 5 : none);
    reals.push_back(asked ? static_cast<float>(seen) : none);
    classes.push_back(asked && seen ? static_cast<int>(i % marks) : -1);
  }
  std::vector<float> expected = given;
  std::array<double, batch> losses{};
  for (Index i = 0; i < batch * steps; ++i) {
    std::vector<float> row(given.begin() + i * width, given.begin() + (i + 1) * width);
    const Score score = apply({reals[2 * i], reals[2 * i + 1], classes[i]}, marks, 0.5F, row);
    std::ranges::copy(row, expected.begin() + i * width);
    losses[i / steps] += score.loss;
  }
  const int before = thread_count();
  for (const int threads : {1, 2, 3}) {
    set_thread_count(threads);
    std::vector<float> outputs = given;
    std::array<Score, batch> scores;
    const Targets targets{.extent = {batch, steps},
                          .classes = classes.data(),
                          .reals = {reals.data(), batch * steps, 2}};
    loss.apply(targets, 0.5F, {outputs.data(), batch * steps, width}, scores);
    CHECK(outputs == expected);
    for (Index b = 0; b < batch; ++b) {
      CHECK(scores[b].loss == doctest::Approx(losses[b]).epsilon(1e-12));
    }
  }
  set_thread_count(before);
}

TEST_CASE("event mixture: with one mark there is no term of marks, and it is always right") {
  std::vector<double> outputs = one_component(0, 1);
  const Score score = apply({1.25F, 1, 0}, 1, 0.0, outputs);
  CHECK(score.loss == score.time_loss);
  CHECK(score.tokens == 1);
  CHECK(score.tokens_correct == 1);
}

TEST_CASE("event mixture: observation that ends with an event costs nothing") {
  std::vector<double> outputs = one_component(0, 1);
  const Score score = apply({0, 0, -1}, 1, 1.0, outputs);
  CHECK(score.loss == 0);
  CHECK(score.tokens == 0);
  for (const double gradient : outputs) CHECK(std::abs(gradient) < 1e-15);
}

TEST_CASE("event mixture: the density integrates to one, and to one less the survival") {
  std::vector<double> outputs = support::numbers(3 * C, 23);
  constexpr int cells = 4000;
  constexpr double low = -20, high = 20, width = (high - low) / cells;
  double mass = 0;
  for (int i = 0; i < cells; ++i) {  // over x = log tau
    const double x = low + (i + 0.5) * width;
    const auto tau = static_cast<float>(std::exp(x));
    mass += std::exp(-apply({tau, 1, 0}, 1, 0.0, outputs).loss + x) * width;
    if (i + 1 == cells / 2) {
      const double survival = std::exp(-apply({1, 0, -1}, 1, 0.0, outputs).loss);
      CHECK(mass == doctest::Approx(1 - survival).epsilon(1e-5));  // the cells are 0.01 wide
    }
  }
  CHECK(mass == doctest::Approx(1).epsilon(1e-5));
}
