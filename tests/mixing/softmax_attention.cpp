#include "mixing/softmax_attention.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "base/gradient_check.hpp"

namespace {

using rlt::Index;
using rlt::Matrix;
using Vector = std::vector<double>;

// 19 queries: no multiple of a vector; a head of 5.
constexpr Index steps = 19;
constexpr Index head = 5;
constexpr Index past = 7;

Vector random(const char* name, Index count) {
  const rlt::Rng rng = rlt::Rng(3).stream(name);
  Vector values(static_cast<std::size_t>(count));
  for (Index i = 0; i < count; ++i) values[i] = 2 * rng.uniform(i) - 1;
  return values;
}

Matrix<double> rows(Vector& values) {
  return {values.data(), static_cast<Index>(values.size()) / head, head};
}

struct Case {
  rlt::Visibility sees;
  double slope;
  std::vector<double> starts;

  // Keys of `past` earlier steps and of the queries' own.
  Vector q = random("q", steps* head);
  Vector k = random("k", (past + steps) * head);
  Vector v = random("v", (past + steps) * head);

  rlt::AttentionHead<double> attention() const {
    const auto at = [](const Vector& values, Index row) { return values.data() + row * head; };
    return {.q = {q.data(), steps, head},
            .keys = {rlt::KeyRows<double>(),
                     rlt::KeyRows<double>{at(k, 0), at(v, 0), head, -past, past},
                     rlt::KeyRows<double>{at(k, past), at(v, past), head, 0, steps}},
            .starts = starts.data(),
            .sees = sees,
            .slope = slope,
            .dropout = {}};
  }

  // One query after the other, from the definition.
  Vector naive() const {
    Vector o(static_cast<std::size_t>(steps * head), 0.0);
    for (Index t = 0; t < steps; ++t) {
      const Index last = sees.self ? t : t - 1;
      const Index first = std::max(static_cast<Index>(starts[t]), last - sees.length + 1);
      double sum = 0;
      for (Index j = first; j <= last; ++j) {
        double score = 0;
        for (Index c = 0; c < head; ++c) score += q[t * head + c] * k[(past + j) * head + c];
        const double weight = std::exp(score / std::sqrt(5.0) - slope * static_cast<double>(t - j));
        sum += weight;
        for (Index c = 0; c < head; ++c) o[t * head + c] += weight * v[(past + j) * head + c];
      }
      for (Index c = 0; c < head && sum > 0; ++c) o[t * head + c] /= sum;
    }
    return o;
  }
};

struct Result {
  Vector o = Vector(steps * head), largest = Vector(steps), inverse = Vector(steps);
};

const rlt::SoftmaxAttention<double> kernel(head);

Result forward(const Case& some) {
  Result result;
  std::vector<rlt::Lanes<double>> scratch(static_cast<std::size_t>(kernel.scratch_vectors(steps)));
  kernel.forward(some.attention(), rows(result.o), result.largest.data(), result.inverse.data(),
                 scratch.data());
  return result;
}

std::vector<Case> cases() {
  const std::vector<double> carried(steps, -past);
  std::vector<double> started = carried;
  std::fill(started.begin() + 4, started.begin() + 11, 4);
  std::fill(started.begin() + 11, started.end(), 11);
  std::vector<Case> all;
  for (const auto& starts : {carried, started}) {
    for (const Index length : {Index{1}, Index{3}, Index{17}, rlt::Visibility::everything}) {
      for (const bool self : {true, false}) {
        for (const double slope : {0.0, 0.25}) all.push_back({{length, self}, slope, starts});
      }
    }
  }
  return all;
}

}  // namespace

TEST_CASE("softmax attention: windows, excluded self and starts equal the definition") {
  for (const Case& some : cases()) {
    CAPTURE(some.sees.length);
    CAPTURE(some.sees.self);
    const Vector o = forward(some).o;
    const Vector expected = some.naive();
    for (std::size_t i = 0; i < o.size(); ++i) CHECK(std::abs(o[i] - expected[i]) < 1e-12);
  }
}

TEST_CASE("softmax attention: a query that sees nothing puts out zeros") {
  const Case alone{{3, false}, 0, std::vector<double>(steps, 0)};
  const Vector o = forward(alone).o;
  for (Index c = 0; c < head; ++c) CHECK(o[c] == 0);
}

// Lanes are then keys, not queries.
TEST_CASE("softmax attention: a query alone puts out what it does among others") {
  std::vector<rlt::Lanes<double>> scratch(static_cast<std::size_t>(kernel.scratch_vectors(1)));
  for (const Case& some : cases()) {
    CAPTURE(some.sees.length);
    CAPTURE(some.sees.self);
    const Result all = forward(some);
    for (Index t = 0; t < steps; ++t) {
      CAPTURE(t);
      const auto keys = [&](Index from, Index to) {
        return rlt::KeyRows<double>{some.k.data() + (past + from) * head,
                                    some.v.data() + (past + from) * head, head, from - t,
                                    to - from};
      };
      const double start = some.starts[static_cast<std::size_t>(t)] - static_cast<double>(t);
      Vector o(head);
      double largest = 0;
      double inverse = 0;
      kernel.forward({.q = {some.q.data() + t * head, 1, head},
                      .keys = {keys(-past, -2), keys(-2, t), keys(t, t + 1)},
                      .starts = &start,
                      .sees = some.sees,
                      .slope = some.slope,
                      .dropout = {}},
                     rows(o), &largest, &inverse, scratch.data());
      for (Index c = 0; c < head; ++c) CHECK(std::abs(o[c] - all.o[t * head + c]) < 1e-12);
      CHECK(std::abs(largest - all.largest[t]) < 1e-12);
      CHECK(std::abs(inverse - all.inverse[t]) < 1e-12);
    }
  }
}

TEST_CASE("softmax attention: gradients equal central differences") {
  const Vector probe = random("probe", steps * head);
  for (Case& some : cases()) {
    CAPTURE(some.sees.length);
    CAPTURE(some.sees.self);
    Result result = forward(some);
    Vector g = probe, dq(steps * head), dk(steps * head), dv(steps * head);
    std::vector<rlt::Lanes<double>> scratch(
        static_cast<std::size_t>(kernel.scratch_vectors(steps)));
    kernel.backward(some.attention(), rows(result.o), rows(g), result.largest.data(),
                    result.inverse.data(), rows(dq), rows(dk), rows(dv), scratch.data());
    const auto loss = [&] {
      const Vector o = some.naive();
      double sum = 0;
      for (std::size_t i = 0; i < o.size(); ++i) sum += o[i] * probe[i];
      return sum;
    };
    for (Index i = 0; i < steps * head; ++i) {
      const auto check = [&](double& entry, double gradient) {
        CHECK(rlt::gradient_error(entry, gradient, loss) < rlt::GradientTolerance().error);
      };
      check(some.q[i], dq[i]);
      check(some.k[past * head + i], dk[i]);
      check(some.v[past * head + i], dv[i]);
    }
  }
}
