#include "mixing/scaled_attention.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "base/gradient_check.hpp"
#include "support/numbers.hpp"

using namespace rlt;
using Numbers = std::vector<double>;

namespace {

constexpr Index d = 3;

/// One head and its tile; the queries fill more than one block.
struct Subject {
  Index queries, seen, slide;
  Numbers q, k, v, bias;
  double scale = 1.7;
  std::vector<Index> nulls;
  ScaledAttention<double> kernel{d};
  Workspace workspace;

  Subject(Index queries_, Index seen_, Index slide_)
      : queries(queries_),
        seen(seen_),
        slide(slide_),
        q(support::numbers(queries * d, 1)),
        k(support::numbers(keys() * d, 2)),
        v(support::numbers(keys() * d, 3)),
        bias(support::numbers(seen, 4)) {
    for (Index i = 0; i < queries; ++i) nulls.push_back(std::max<Index>(0, seen - 2 - i));
    kernel.carve(workspace, keys(), seen);
    workspace.allocate();
    kernel.carve(workspace, keys(), seen);
  }
  Index keys() const { return slide * (queries - 1) + seen; }
  AttentionTile<double> tile() const {
    return {.q = {q.data(), queries, d},
            .k = {k.data(), keys(), d},
            .v = {v.data(), keys(), d},
            .seen = seen,
            .slide = slide,
            .scale = scale,
            .bias = bias.data(),
            .nulls = nulls.data()};
  }
  Numbers forward() const {
    Numbers o(q.size());
    kernel.forward(tile(), {o.data(), queries, d}, 0);
    return o;
  }
  /// The definition, key by key.
  Numbers slowly() const {
    Numbers o(q.size(), 0.0);
    for (Index i = 0; i < queries; ++i) {
      double sum = std::exp(-1000);
      for (Index n = 0; n < seen; ++n) {
        const Index j = slide * i + n;
        const bool null = n < nulls[slide * i];
        double z = bias[n];
        for (Index c = 0; c < d && !null; ++c) z += q[i * d + c] * k[j * d + c];
        const double power = std::exp(scale * z);
        sum += power;
        for (Index c = 0; c < d && !null; ++c) o[i * d + c] += power * v[j * d + c];
      }
      for (Index c = 0; c < d; ++c) o[i * d + c] /= sum;
    }
    return o;
  }
};

}  // namespace

TEST_CASE("scaled attention: windows that slide, and the same keys for all, with null keys") {
  // seen around the length of a vector; one query, and more than two blocks
  for (const Index slide : {0, 1}) {
    for (const Index seen : {1, 7, 8, 9, 40}) {
      for (const Index queries : {1, 5, 71}) {
        const Subject subject(queries, seen, slide);
        CHECK(support::largest_difference(subject.forward(), subject.slowly()) < 1e-13);
      }
    }
  }
}

TEST_CASE("scaled attention: gradients of all that it reads equal central differences") {
  for (const Index slide : {0, 1}) {
    Subject subject(37, 11, slide);
    const Numbers probe = support::numbers(37 * d, 9);
    const auto loss = [&] {
      const Numbers o = subject.forward();
      double sum = 0;
      for (std::size_t i = 0; i < o.size(); ++i) sum += o[i] * probe[i];
      return sum;
    };
    Numbers dq(subject.q.size(), 0.0), dk(subject.k.size(), 0.0), dv(subject.v.size(), 0.0);
    Numbers dbias(subject.bias.size(), 0.0);
    double dscale = 0;
    const Index keys = subject.keys();
    subject.kernel.backward(
        subject.tile(), {probe.data(), 37, d},
        {{dq.data(), 37, d}, {dk.data(), keys, d}, {dv.data(), keys, d}, &dscale, dbias.data()}, 0);
    const auto check = [&](double& entry, double gradient) {
      CHECK(gradient_error(entry, gradient, loss) < GradientTolerance().error);
    };
    for (std::size_t i = 0; i < dq.size(); ++i) check(subject.q[i], dq[i]);
    for (std::size_t i = 0; i < dk.size(); ++i) check(subject.k[i], dk[i]);
    for (std::size_t i = 0; i < dv.size(); ++i) check(subject.v[i], dv[i]);
    for (std::size_t i = 0; i < dbias.size(); ++i) check(subject.bias[i], dbias[i]);
    check(subject.scale, dscale);
  }
}

TEST_CASE("scaled attention: a query whose scores are all far below -1000 reads nothing") {
  Subject subject(1, 4, 0);
  subject.bias.assign(4, -100.0);
  subject.scale = 1000;
  for (const double o : subject.forward()) CHECK(o == 0);
  // and one whose scores are about -1000 reads in part
  subject.bias.assign(4, -1.0);
  subject.q.assign(3, 0.0);
  subject.nulls[0] = 0;
  double mean = 0;
  for (Index j = 0; j < 4; ++j) mean += subject.v[j * d] / 5;
  CHECK(subject.forward()[0] == doctest::Approx(mean).epsilon(1e-12));
}
