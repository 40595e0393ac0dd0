#include "optim/optimizer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "support/message.hpp"
#include "support/numbers.hpp"

using namespace rlt;

namespace {

/// One parameter of so many numbers, and an optimiser for it.
template <typename T>
struct Subject {
  ParameterSet<T> parameters;
  Optimizer<T> optimizer;

  Subject(const OptimizerConfig& config, const std::vector<T>& start)
      : optimizer(config, place(parameters, std::ssize(start))) {
    std::ranges::copy(start, parameters.values());
  }
  static Index place(ParameterSet<T>& parameters, Index count) {
    parameters.add("w", {count}, rlt::init::constant(0));
    parameters.allocate();
    return parameters.flat_size();
  }
  void update(const std::vector<T>& gradients, Index step, double rate) {
    std::ranges::copy(gradients, parameters.gradients());
    optimizer.update(parameters, step, rate);
  }
  T value(Index i = 0) const { return parameters.values()[i]; }
};

/// A number that rounding alone may move.
template <typename T>
doctest::Approx about(double expected) {
  return doctest::Approx(expected).epsilon(16 * std::numeric_limits<T>::epsilon());
}

template <typename T>
ParameterSet<T> with_gradients(const std::vector<T>& gradients) {
  ParameterSet<T> parameters;
  Subject<T>::place(parameters, std::ssize(gradients));
  std::ranges::copy(gradients, parameters.gradients());
  return parameters;
}

template <typename T>
std::vector<T> gradients_of(const ParameterSet<T>& parameters) {
  const Parameter<T>& all = parameters.all().front();
  return {all.gradient, all.gradient + all.count()};
}

}  // namespace

TEST_CASE_TEMPLATE("adam: two steps by hand", T, float, double) {
  Subject<T> adam({.kind = "adam", .beta1 = 0.9, .beta2 = 0.99, .epsilon = 0}, {T(1)});
  // m = 0.05, v = 0.0025; without their bias 0.5 and 0.25
  adam.update({T(0.5)}, 1, 0.1);
  CHECK(adam.value() == about<T>(1 - 0.1 * 0.5 / 0.5));
  CHECK(adam.optimizer.moments()[0].values[0] == about<T>(0.05));
  CHECK(adam.optimizer.moments()[1].values[0] == about<T>(0.0025));
  // m = 0.9 0.05 - 0.1, v = 0.99 0.0025 + 0.01; the biases 1 - 0.9^2 and 1 - 0.99^2
  adam.update({T(-1)}, 2, 0.1);
  const double m = -0.055 / 0.19;
  const double v = 0.012475 / 0.0199;
  CHECK(adam.value() == about<T>(0.9 - 0.1 * m / std::sqrt(v)));
  CHECK(adam.optimizer.moments()[0].values[0] == about<T>(-0.055));
  CHECK(adam.optimizer.moments()[1].values[0] == about<T>(0.012475));
}

TEST_CASE_TEMPLATE("adam: epsilon stands outside the root, beside the moment without its bias", T,
                   float, double) {
  Subject<T> adam({.kind = "adam", .beta1 = 0.5, .beta2 = 0.75, .epsilon = 1.5}, {T(0), T(0)});
  adam.update({T(0.5), T(-4)}, 1, 0.1);
  CHECK(adam.value(0) == about<T>(-0.1 * 0.5 / (0.5 + 1.5)));
  CHECK(adam.value(1) == about<T>(0.1 * 4 / (4 + 1.5)));
}

TEST_CASE_TEMPLATE("adam: the first step goes by the rate against the gradient, whatever its size",
                   T, float, double) {
  Subject<T> adam({}, {T(0), T(0), T(0)});
  adam.update({T(1e-3), T(-7), T(1e6)}, 1, 0.25);
  for (const auto& [i, expected] : {std::pair<Index, double>{0, -0.25}, {1, 0.25}, {2, -0.25}}) {
    CHECK(adam.value(i) == doctest::Approx(expected).epsilon(2e-6));  // epsilon / 1e-3
  }
}

TEST_CASE_TEMPLATE("adamw: the decay draws towards zero by rate times decay, beside Adam's step", T,
                   float, double) {
  const OptimizerConfig config{.kind = "adamw", .weight_decay = 0.5};
  Subject<T> still(config, {T(2), T(-2), T(0)});
  still.update({T(0), T(0), T(0)}, 1, 0.1);
  CHECK(still.value(0) == about<T>(2 - 0.1 * 0.5 * 2));
  CHECK(still.value(1) == about<T>(-2 + 0.1 * 0.5 * 2));
  CHECK(still.value(2) == T(0));

  OptimizerConfig plain = config;
  plain.kind = "adam";
  Subject<T> decayed(config, {T(2)});
  Subject<T> adam(plain, {T(2)});
  decayed.update({T(3)}, 1, 0.1);
  adam.update({T(3)}, 1, 0.1);
  CHECK(adam.value() - decayed.value() == doctest::Approx(0.1 * 0.5 * 2).epsilon(1e-5));
  // of the moments decay sees nothing: it is decoupled
  CHECK(decayed.optimizer.moments()[0].values[0] == adam.optimizer.moments()[0].values[0]);
}

TEST_CASE("adam and sgd: they do not decay") {
  for (const char* kind : {"adam", "sgd"}) {
    CAPTURE(kind);
    Subject<double> subject({.kind = kind, .weight_decay = 0.5}, {2.0});
    subject.update({0.0}, 1, 0.1);
    CHECK(subject.value() == 2);
  }
}

TEST_CASE_TEMPLATE("sgd: momentum adds up the gradients, and the step goes against their sum", T,
                   float, double) {
  Subject<T> sgd({.kind = "sgd", .momentum = 0.9}, {T(0), T(5)});
  sgd.update({T(1), T(-2)}, 1, 0.1);
  CHECK(sgd.value(0) == about<T>(-0.1));
  CHECK(sgd.value(1) == about<T>(5 + 0.2));
  sgd.update({T(1), T(0)}, 2, 0.1);  // sums 1.9 and -1.8
  CHECK(sgd.value(0) == about<T>(-0.1 - 0.19));
  CHECK(sgd.value(1) == about<T>(5 + 0.2 + 0.18));
  sgd.update({T(1), T(0)}, 3, 0.1);  // sums 2.71 and -1.62
  CHECK(sgd.value(0) == about<T>(-0.1 - 0.19 - 0.271));
  CHECK(sgd.value(1) == about<T>(5 + 0.2 + 0.18 + 0.162));
  CHECK(sgd.optimizer.moments()[0].values[0] == about<T>(2.71));
}

TEST_CASE_TEMPLATE("sgd: without momentum the step is rate times gradient", T, float, double) {
  Subject<T> sgd({.kind = "sgd"}, {T(1)});
  for (Index step = 1; step <= 3; ++step) sgd.update({T(2)}, step, 0.25);
  CHECK(sgd.value() == T(1 - 3 * 0.5));
}

// More numbers than one block has, and no multiple of any vector.
TEST_CASE("optimisers: every number is updated as if it were alone") {
  constexpr Index count = 40'003;
  const std::vector<double> start = support::numbers(count, 1);
  const std::vector<std::vector<double>> gradients = {
      support::numbers(count, 2), support::numbers(count, 3), support::numbers(count, 4)};
  for (const char* kind : {"adam", "adamw", "sgd"}) {
    CAPTURE(kind);
    const OptimizerConfig config{.kind = kind, .weight_decay = 0.1, .momentum = 0.5};
    Subject<double> whole(config, start);
    for (Index step = 1; step <= 3; ++step) whole.update(gradients[step - 1], step, 0.1);
    for (Index i = 0; i < count; i += 997) {
      Subject<double> alone(config, {start[i]});
      for (Index step = 1; step <= 3; ++step) alone.update({gradients[step - 1][i]}, step, 0.1);
      CHECK(whole.value(i) == about<double>(alone.value()));
    }
  }
}

TEST_CASE("optimisers: their memory is one block for sgd, else two") {
  const auto names = [](const char* kind) {
    Optimizer<float> optimizer({.kind = kind}, 16);
    std::vector<std::string> all;
    for (const auto& moment : optimizer.moments()) {
      all.emplace_back(moment.name);
      CHECK(moment.values.size() == 16);
    }
    return all;
  };
  CHECK(names("sgd") == std::vector<std::string>{"first"});
  CHECK(names("adam") == std::vector<std::string>{"first", "second"});
  CHECK(names("adafactor") == std::vector<std::string>{"first", "second"});
  CHECK(names("adamw") == std::vector<std::string>{"first", "second"});
}

TEST_CASE_TEMPLATE("clipping: gradients are scaled to the limit, and the norm before comes back", T,
                   float, double) {
  ParameterSet<T> parameters = with_gradients<T>({T(3), T(0), T(-4)});
  CHECK(clip_gradients(parameters, 1.0) == about<T>(5));
  const std::vector<T> clipped = gradients_of(parameters);
  CHECK(clipped[0] == about<T>(0.6));
  CHECK(clipped[1] == T(0));
  CHECK(clipped[2] == about<T>(-0.8));
  CHECK(clip_gradients(parameters, 0.5) == about<T>(1));
}

TEST_CASE("clipping: at or below the limit, and without one, no bit changes") {
  const std::vector<float> gradients = {3, 0, -4};
  for (const double limit : {5.0, 5.1, 1e30, 0.0, -1.0}) {
    CAPTURE(limit);
    ParameterSet<float> parameters = with_gradients(gradients);
    CHECK(clip_gradients(parameters, limit) == 5);
    CHECK(gradients_of(parameters) == gradients);
  }
}

TEST_CASE("clipping: the norm is over all parameters, block after block") {
  constexpr Index count = 40'003;
  const std::vector<double> gradients = support::numbers(count, 3);
  double squares = 4;
  for (const double g : gradients) squares += g * g;
  ParameterSet<double> parameters;
  parameters.add("a", {count}, rlt::init::constant(0));
  parameters.add("b", {1}, rlt::init::constant(0));
  parameters.allocate();
  std::ranges::copy(gradients, parameters.all()[0].gradient);
  *parameters.all()[1].gradient = -2;
  CHECK(clip_gradients(parameters, 1.0) == doctest::Approx(std::sqrt(squares)).epsilon(1e-12));
  CHECK(*parameters.all()[1].gradient == doctest::Approx(-2 / std::sqrt(squares)).epsilon(1e-12));
  CHECK(clip_gradients(parameters, 0.0) == doctest::Approx(1).epsilon(1e-12));
}

TEST_CASE_TEMPLATE("clipping: gradients whose squares overflow come down to the limit all the same",
                   T, float, double) {
  const T huge = std::numeric_limits<T>::max() / 16;
  ParameterSet<T> parameters = with_gradients<T>({3 * huge, -4 * huge, T(1)});
  CHECK(clip_gradients(parameters, 0.0) == about<T>(5 * static_cast<double>(huge)));
  CHECK(gradients_of(parameters) == std::vector<T>{3 * huge, -4 * huge, T(1)});
  CHECK(clip_gradients(parameters, 2.0) == about<T>(5 * static_cast<double>(huge)));
  CHECK(gradients_of(parameters)[0] == about<T>(1.2));
  CHECK(gradients_of(parameters)[1] == about<T>(-1.6));
  CHECK(gradients_of(parameters)[2] < 1e-30);
}

TEST_CASE("clipping: a gradient that is not finite shows in the norm") {
  for (const float bad : {std::numeric_limits<float>::infinity(), std::nanf("")}) {
    ParameterSet<float> parameters = with_gradients<float>({1, bad, 2});
    CHECK(!std::isfinite(clip_gradients(parameters, 1.0)));
    CHECK(!std::isfinite(gradients_of(parameters)[1]));
  }
}
