// How far the functions of tensor/activation.hpp, and the two of xsimd that cells call beside them, are from
// the exact value. In the tests denormal numbers are zero, as in the program.
#include "tensor/activation.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "support/numbers.hpp"

using rlt::Index;
using rlt::lane_count;
using rlt::Lanes;

namespace {

template <typename T>
struct Function {
  std::string name;
  Lanes<T> (*value)(const Lanes<T>&);
  long double (*exact)(long double);
  double low, high;  // the range: beyond it the result is denormal or infinite
  double ulp;  // largest error in it, in units of the last place: what was measured, rounded up
  T at_minus_infinity, at_infinity;
};

template <typename T>
Lanes<T> exp_of(const Lanes<T>& x) {
  return xsimd::exp(x);
}
template <typename T>
Lanes<T> tanh_of(const Lanes<T>& x) {
  return xsimd::tanh(x);
}
long double exact_sigmoid(long double x) { return 1 / (1 + std::exp(-x)); }
long double exact_elu1(long double x) { return x > 0 ? x + 1 : std::exp(x); }
long double exact_exp(long double x) { return std::exp(x); }
long double exact_tanh(long double x) { return std::tanh(x); }

template <typename T>
constexpr T infinity = std::numeric_limits<T>::infinity();
template <typename T>
constexpr T largest = std::numeric_limits<T>::max();
// The smallest number that is not denormal.
template <typename T>
constexpr T smallest = std::numeric_limits<T>::min();

// clang-format off
template <typename T> std::vector<Function<T>> functions();
template <> std::vector<Function<float>> functions<float>() {
  return {// name      value               exact          low     high            ulp (measured)
          {"sigmoid", rlt::sigmoid<float>, exact_sigmoid, -87.3,  largest<float>, 3 /* 2.35 */, 0, 1},
          {"elu1",    rlt::elu1<float>,    exact_elu1,    -87.3,  largest<float>, 2 /* 1.49 */, 0, infinity<float>},
          {"exp",     exp_of<float>,       exact_exp,     -87.3,  88.37,          2 /* 1.49 */, 0, infinity<float>},
          {"tanh",    tanh_of<float>,      exact_tanh,    -largest<float>, largest<float>, 2 /* 1.32 */, -1, 1}};
}
template <> std::vector<Function<double>> functions<double>() {
  return {{"sigmoid", rlt::sigmoid<double>, exact_sigmoid, -708.3, largest<double>, 3 /* 2.47 */, 0, 1},
          {"elu1",    rlt::elu1<double>,    exact_elu1,    -708.3, largest<double>, 1.5 /* 0.88 */, 0, infinity<double>},
          {"exp",     exp_of<double>,       exact_exp,     -708.3, 709.7,           1.5 /* 0.88 */, 0, infinity<double>},
          {"tanh",    tanh_of<double>,      exact_tanh,    -largest<double>, largest<double>, 2 /* 1.31 */, -1, 1}};
}
// clang-format on

// In units of the last place of the exact value.
template <typename T>
double error_in_ulp(T value, long double exact) {
  int exponent = 0;
  std::frexp(exact, &exponent);
  const int smallest_exponent = std::numeric_limits<T>::min_exponent;
  const long double unit =
      std::ldexp(1.0L, std::max(exponent, smallest_exponent) - std::numeric_limits<T>::digits);
  return static_cast<double>(std::abs(static_cast<long double>(value) - exact) / unit);
}

template <typename T>
T value_at(const Function<T>& function, T x) {
  return function.value(Lanes<T>(x)).get(0);
}

/// Where the functions bend, out to where they are flat, and small numbers of every size.
template <typename T>
std::vector<T> points(const Function<T>& function) {
  constexpr Index count = 40'000;
  std::vector<T> all;
  for (const double spread : {1.0, 10.0, 100.0, 700.0}) {
    for (const T x : support::numbers<T>(count, static_cast<std::uint64_t>(spread))) {
      all.push_back(static_cast<T>(spread) * x);
    }
  }
  for (const T x : support::numbers<T>(count, 2)) {
    all.push_back(std::copysign(std::exp(40 * (std::abs(x) - 1)), x));
  }
  std::erase_if(all, [&](T x) { return x < function.low || x > function.high; });
  all.resize(all.size() / lane_count<T> * lane_count<T>);
  return all;
}

}  // namespace

TEST_CASE_TEMPLATE(
    "activation: every function is exact to the units of the last place that are named", T, float,
    double) {
  for (const Function<T>& function : functions<T>()) {
    CAPTURE(function.name);
    double worst = 0;
    T where = 0;
    const std::vector<T> x = points(function);
    REQUIRE(x.size() > 50'000);
    for (std::size_t i = 0; i < x.size(); i += lane_count<T>) {
      std::vector<T> y(static_cast<std::size_t>(lane_count<T>));
      function.value(Lanes<T>::load_unaligned(&x[i])).store_unaligned(y.data());
      for (std::size_t lane = 0; lane < y.size(); ++lane) {
        const double error = error_in_ulp(y[lane], function.exact(x[i + lane]));
        if (!(error <= worst)) worst = error, where = x[i + lane];
      }
    }
    CHECK_MESSAGE(worst <= function.ulp, worst, " ulp at ", where);
  }
}

TEST_CASE_TEMPLATE(
    "activation: zero, denormal and endless numbers give the limits, and nan stays nan", T, float,
    double) {
  for (const Function<T>& function : functions<T>()) {
    CAPTURE(function.name);
    const T at_zero = static_cast<T>(function.exact(0));
    for (const T tiny : {T(0), -T(0), std::numeric_limits<T>::denorm_min(),
                         -std::numeric_limits<T>::denorm_min()}) {
      CHECK(value_at(function, tiny) == at_zero);
    }
    CHECK(std::abs(value_at(function, smallest<T>) - at_zero) <= smallest<T>);
    CHECK(value_at(function, infinity<T>) == function.at_infinity);
    CHECK(value_at(function, -infinity<T>) == function.at_minus_infinity);
    CHECK(value_at(function, -largest<T>) == function.at_minus_infinity);
    CHECK(value_at(function, largest<T>) >= std::min(function.at_infinity, largest<T>));
    CHECK(std::isnan(value_at(function, std::numeric_limits<T>::quiet_NaN())));
  }
}

TEST_CASE_TEMPLATE("activation: below their range results are zero or next to it", T, float,
                   double) {
  for (const Function<T>& function : functions<T>()) {
    CAPTURE(function.name);
    if (function.low == -static_cast<double>(largest<T>)) continue;  // no number is below
    for (T x = static_cast<T>(function.low); x > function.low * 1.1; x -= T(0.01)) {
      CHECK(value_at(function, x) >= 0);
      CHECK(value_at(function, x) <= 2 * smallest<T>);
    }
  }
}

TEST_CASE_TEMPLATE("activation: a result does not depend on its place in the vector", T, float,
                   double) {
  for (const Function<T>& function : functions<T>()) {
    CAPTURE(function.name);
    const std::vector<T> x = support::numbers<T>(lane_count<T>, 3);
    std::vector<T> y(x.size());
    function.value(Lanes<T>::load_unaligned(x.data())).store_unaligned(y.data());
    for (std::size_t lane = 0; lane < x.size(); ++lane)
      CHECK(y[lane] == value_at(function, x[lane]));
  }
}

TEST_CASE("activation: the smaller of elu1 and 1 is the derivative of elu1") {
  for (const double x : {-3.0, -0.5, -1e-3, 1e-3, 0.5, 3.0}) {
    const auto elu1 = [](double at) { return rlt::elu1<double>(Lanes<double>(at)).get(0); };
    const double slope = (elu1(x + 1e-6) - elu1(x - 1e-6)) / 2e-6;
    CHECK(std::min(elu1(x), 1.0) == doctest::Approx(slope).epsilon(1e-8));
  }
}

namespace {

/// `count` vectors of independent numbers.
template <typename T>
std::vector<Lanes<T>> vectors(Index count, std::uint64_t seed, T scale) {
  const std::vector<T> values = support::numbers<T>(count * lane_count<T>, seed);
  std::vector<Lanes<T>> all;
  for (Index i = 0; i < count; ++i) {
    all.push_back(scale * Lanes<T>::load_unaligned(values.data() + i * lane_count<T>));
  }
  return all;
}

}  // namespace

// Absolute: x_i - max x is rounded before its power is taken, which the small ones of the p feel most.
TEST_CASE_TEMPLATE("softmax: every lane is that of the definition, in place too", T, float,
                   double) {
  for (const Index count : {1, 2, 5, 64}) {
    for (const T scale : {T(0), T(1), T(30)}) {
      CAPTURE(count);
      CAPTURE(scale);
      const std::vector<Lanes<T>> x = vectors<T>(count, 4, scale);
      std::vector<Lanes<T>> p(x.size());
      rlt::softmax<T>(x.data(), count, p.data());
      std::vector<Lanes<T>> in_place = x;
      rlt::softmax<T>(in_place.data(), count, in_place.data());
      for (std::size_t lane = 0; lane < Lanes<T>::size; ++lane) {
        long double sum = 0;
        for (const Lanes<T>& vector : x)
          sum += std::exp(static_cast<long double>(vector.get(lane)));
        for (std::size_t i = 0; i < x.size(); ++i) {
          const long double exact = std::exp(static_cast<long double>(x[i].get(lane))) / sum;
          CHECK(std::abs(static_cast<double>(p[i].get(lane) - exact)) <
                4 * std::numeric_limits<T>::epsilon());
          CHECK(in_place[i].get(lane) == p[i].get(lane));
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE(
    "softmax: huge inputs leave the largest, equal ones share, nan stays in its lane", T, float,
    double) {
  std::vector<Lanes<T>> x = {Lanes<T>(largest<T> / 4), Lanes<T>(T(0)), Lanes<T>(-largest<T> / 4),
                             Lanes<T>(-infinity<T>)};
  std::vector<T> first(Lanes<T>::size, largest<T> / 4);
  first.back() = std::numeric_limits<T>::quiet_NaN();
  x[0] = Lanes<T>::load_unaligned(first.data());
  rlt::softmax<T>(x.data(), 4, x.data());
  for (std::size_t i = 0; i < 4; ++i) CHECK(x[i].get(0) == (i == 0 ? T(1) : T(0)));
  for (std::size_t i = 0; i < 4; ++i) CHECK(std::isnan(x[i].get(Lanes<T>::size - 1)));

  std::vector<Lanes<T>> equal(4, Lanes<T>(-largest<T> / 4));
  rlt::softmax<T>(equal.data(), 4, equal.data());
  for (const Lanes<T>& p : equal) CHECK(p.get(0) == T(0.25));
}

TEST_CASE_TEMPLATE("softmax: its gradient is that of the definition", T, float, double) {
  for (const Index count : {1, 2, 5, 64}) {
    CAPTURE(count);
    std::vector<Lanes<T>> p = vectors<T>(count, 4, T(2));
    rlt::softmax<T>(p.data(), count, p.data());
    const std::vector<Lanes<T>> dp = vectors<T>(count, 5, T(1));
    std::vector<Lanes<T>> dx = dp;
    rlt::softmax_backward<T>(p.data(), dx.data(), count);
    for (std::size_t lane = 0; lane < Lanes<T>::size; ++lane) {
      // dx_i = sum_j dp_j p_j (delta_ij - p_i)
      for (std::size_t i = 0; i < p.size(); ++i) {
        double exact = 0;
        for (std::size_t j = 0; j < p.size(); ++j) {
          const double both =
              static_cast<double>(p[j].get(lane)) * ((i == j ? 1 : 0) - p[i].get(lane));
          exact += static_cast<double>(dp[j].get(lane)) * both;
        }
        CHECK(std::abs(dx[i].get(lane) - exact) < 8 * std::numeric_limits<T>::epsilon());
      }
    }
  }
}
