#include "nn/feed_forward.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "base/gradient_check.hpp"
#include "support/numbers.hpp"

using rlt::Dropout;
using rlt::Index;
using rlt::Matrix;
using rlt::RowBlock;
using Numbers = std::vector<double>;

namespace {

struct Subject {
  Index rows, width, inner;
  rlt::ParameterSet<double> parameters;
  rlt::FeedForward<double> layer;
  rlt::Workspace workspace;
  Dropout inside, after;

  Subject(Index rows_, Index width_, Index inner_) : rows(rows_), width(width_), inner(inner_) {
    layer.declare(parameters, "ff", width, inner);
    parameters.allocate();
    parameters.initialize(1);
    layer.carve(workspace, rows);
    workspace.allocate();
    layer.carve(workspace, rows);
  }

  const rlt::Parameter<double>& named(const std::string& name) const {
    return *std::ranges::find(parameters.all(), name, &rlt::Parameter<double>::name);
  }
  Matrix<const double> matrix(const Numbers& values) const { return {values.data(), rows, width}; }
  Matrix<double> matrix(Numbers& values) const { return {values.data(), rows, width}; }

  Numbers forward(const Numbers& x, const Numbers& residual) {
    Numbers y(x.size(), 99);
    layer.begin_forward(inside, after);
    rlt::for_row_blocks(rows, [&](const RowBlock& block) {
      layer.forward_block(block, block.of(matrix(x)), block.of(matrix(residual)),
                          block.of(matrix(y)));
    });
    return y;
  }
  Numbers backward(const Numbers& x, const Numbers& dy) {
    Numbers dx(x.size(), 99);
    layer.begin_backward();
    rlt::for_row_blocks(rows, [&](const RowBlock& block) {
      layer.backward_block(block, block.of(matrix(x)), block.of(matrix(dy)), block.of(matrix(dx)));
    });
    layer.end_backward(rows);
    return dx;
  }

  /// y = r + drop(W2 drop(relu(W1 x + b1)) + b2), number by number.
  Numbers definition(const Numbers& x, const Numbers& residual) const {
    const double* const w1 = named("ff.up.weight").value;
    const double* const b1 = named("ff.up.bias").value;
    const double* const w2 = named("ff.down.weight").value;
    const double* const b2 = named("ff.down.bias").value;
    Numbers y = residual;
    for (Index r = 0; r < rows; ++r) {
      Numbers hidden(b1, b1 + inner);
      for (Index f = 0; f < inner; ++f) {
        for (Index c = 0; c < width; ++c) hidden[f] += x[r * width + c] * w1[c * inner + f];
        hidden[f] = std::max(hidden[f], 0.0) * inside.factor<double>(r * inner + f);
      }
      for (Index c = 0; c < width; ++c) {
        double sum = b2[c];
        for (Index f = 0; f < inner; ++f) sum += hidden[f] * w2[f * width + c];
        y[r * width + c] += sum * after.factor<double>(r * width + c);
      }
    }
    return y;
  }
};

const Dropout off;
const Dropout half{0.5, rlt::Rng(11)};
const Dropout third{0.3, rlt::Rng(12)};

}  // namespace

// Rows of one block, of several, and of several parts.
TEST_CASE("feed-forward: values are those of the definition, with and without dropout") {
  for (const Index rows : {1, 7, 300}) {
    for (const auto& [inside, after] :
         {std::pair{off, off}, {half, off}, {off, third}, {half, third}}) {
      CAPTURE(rows);
      Subject subject(rows, 5, 13);
      subject.inside = inside;
      subject.after = after;
      const Numbers x = support::numbers(rows * 5, 1);
      const Numbers residual = support::numbers(rows * 5, 2);
      CHECK(support::largest_difference(subject.forward(x, residual),
                                        subject.definition(x, residual)) < 1e-13);
    }
  }
}

TEST_CASE("feed-forward: gradients equal central differences, with and without dropout") {
  for (const Index rows : {3, 300}) {
    for (const auto& [inside, after] : {std::pair{off, off}, {half, third}}) {
      CAPTURE(rows);
      Subject subject(rows, 5, 13);
      subject.inside = inside;
      subject.after = after;
      Numbers x = support::numbers(rows * 5, 1);
      const Numbers residual = support::numbers(rows * 5, 2);
      const Numbers probe = support::numbers(rows * 5, 3);
      const auto loss = [&] {
        const Numbers y = subject.forward(x, residual);
        double sum = 0;
        for (std::size_t i = 0; i < y.size(); ++i) sum += y[i] * probe[i];
        return sum;
      };
      loss();
      const Numbers dx = subject.backward(x, probe);
      for (std::size_t i = 0; i < x.size(); i += 7) {
        CHECK(rlt::gradient_error(x[i], dx[i], loss) < rlt::GradientTolerance().error);
      }
      for (const rlt::Parameter<double>& parameter : subject.parameters.all()) {
        CAPTURE(parameter.name);
        for (Index i = 0; i < parameter.count(); i += 3) {
          CHECK(rlt::gradient_error(parameter.value[i], parameter.gradient[i], loss) <
                rlt::GradientTolerance().error);
        }
      }
    }
  }
}

TEST_CASE("feed-forward: without a residual the branch stands alone") {
  Subject subject(7, 5, 13);
  subject.after = third;
  const Numbers x = support::numbers(7 * 5, 1);
  Numbers y(x.size(), 99);
  subject.layer.begin_forward(subject.inside, subject.after);
  rlt::for_row_blocks(7, [&](const RowBlock& block) {
    subject.layer.forward_block(block, block.of(subject.matrix(x)), {nullptr, 0, 0},
                                block.of(subject.matrix(y)));
  });
  CHECK(support::largest_difference(y, subject.definition(x, Numbers(x.size(), 0.0))) < 1e-13);
}

TEST_CASE("feed-forward: dx is overwritten, parameter gradients add up") {
  Subject subject(7, 5, 13);
  const Numbers x = support::numbers(7 * 5, 1);
  const Numbers dy = support::numbers(7 * 5, 3);
  subject.forward(x, x);
  const Numbers dx = subject.backward(x, dy);
  const auto gradients = [&] {
    return Numbers(subject.parameters.gradients(),
                   subject.parameters.gradients() + subject.parameters.flat_size());
  };
  Numbers once = gradients();
  CHECK(subject.backward(x, dy) == dx);
  for (double& gradient : once) gradient *= 2;
  CHECK(support::largest_difference(gradients(), once) < 1e-13);
}
