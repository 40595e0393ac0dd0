#include "nn/gru_gate.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/gradient_check.hpp"
#include "support/numbers.hpp"

using rlt::Index;
using rlt::Matrix;
using rlt::RowBlock;

namespace {

constexpr Index width = 7;

template <typename T>
struct Subject {
  using Numbers = std::vector<T>;

  Index rows;
  rlt::ParameterSet<T> parameters;
  rlt::GruGate<T> gate;
  rlt::Workspace workspace;

  explicit Subject(Index rows_) : rows(rows_) {
    gate.declare(parameters, "gate", width, rlt::init::orthogonal(std::sqrt(2.0)));
    parameters.allocate();
    parameters.initialize(1);
    gate.carve(workspace, rows);
    workspace.allocate();
    gate.carve(workspace, rows);
  }

  const rlt::Parameter<T>& named(const std::string& name) const {
    return *std::ranges::find(parameters.all(), name, &rlt::Parameter<T>::name);
  }
  Matrix<const T> matrix(const Numbers& values) const { return {values.data(), rows, width}; }
  Matrix<T> matrix(Numbers& values) const { return {values.data(), rows, width}; }

  Numbers forward(const Numbers& x, const Numbers& y) {
    Numbers out(x.size(), 99);
    rlt::for_row_blocks(rows, [&](const RowBlock& block) {
      gate.forward_block(block, block.of(matrix(x)), block.of(matrix(y)), block.of(matrix(out)));
    });
    return out;
  }
  void backward(const Numbers& x, const Numbers& y, const Numbers& dout, Numbers& dx, Numbers& dy) {
    gate.begin_backward();
    rlt::for_row_blocks(rows, [&](const RowBlock& block) {
      gate.backward_block(block, block.of(matrix(x)), block.of(matrix(y)), block.of(matrix(dout)),
                          block.of(matrix(dx)), block.of(matrix(dy)));
    });
    gate.end_backward(rows);
  }

  /// One row, number by number.
  Numbers definition(const T* x, const T* y) const {
    const T* const w = named("gate.input").value;
    const T* const u = named("gate.recurrent").value;
    const T* const u_c = named("gate.candidate").value;
    const T* const b = named("gate.bias").value;
    const auto sigmoid = [](T a) { return 1 / (1 + std::exp(-a)); };
    const auto dot = [](const T* row, const T* weights, Index cols, Index col) {
      T sum = 0;
      for (Index i = 0; i < width; ++i) sum += row[i] * weights[i * cols + col];
      return sum;
    };
    Numbers reset(width);
    for (Index j = 0; j < width; ++j) {
      reset[j] = sigmoid(dot(y, w, 3 * width, j) + dot(x, u, 2 * width, j)) * x[j];
    }
    Numbers out(width);
    for (Index j = 0; j < width; ++j) {
      const T a = dot(y, w, 3 * width, width + j) + dot(x, u, 2 * width, width + j);
      const T z = sigmoid(a - b[j]);
      const T c = std::tanh(dot(y, w, 3 * width, 2 * width + j) + dot(reset.data(), u_c, width, j));
      out[j] = (1 - z) * x[j] + z * c;
    }
    return out;
  }
};

}  // namespace

// Rows of one block, and of several parts.
TEST_CASE("GRU gate: values are those of the definition") {
  for (const Index rows : {1, 5, 300}) {
    CAPTURE(rows);
    Subject<double> subject(rows);
    const std::vector<double> x = support::numbers(rows * width, 1);
    const std::vector<double> y = support::numbers(rows * width, 2);
    std::vector<double> expected;
    for (Index row = 0; row < rows; ++row) {
      const std::vector<double> out =
          subject.definition(x.data() + row * width, y.data() + row * width);
      expected.insert(expected.end(), out.begin(), out.end());
    }
    CHECK(support::largest_difference(subject.forward(x, y), expected) < 1e-13);
  }
}

TEST_CASE("GRU gate: gradients equal central differences") {
  for (const Index rows : {3, 300}) {
    CAPTURE(rows);
    Subject<double> subject(rows);
    std::vector<double> x = support::numbers(rows * width, 1);
    std::vector<double> y = support::numbers(rows * width, 2);
    const std::vector<double> probe = support::numbers(rows * width, 3);
    const auto loss = [&] {
      const std::vector<double> out = subject.forward(x, y);
      double sum = 0;
      for (std::size_t i = 0; i < out.size(); ++i) sum += out[i] * probe[i];
      return sum;
    };
    loss();
    std::vector<double> dx(x.size(), 99), dy(x.size(), 99);
    subject.backward(x, y, probe, dx, dy);
    constexpr double tolerance = rlt::GradientTolerance().error;
    for (std::size_t i = 0; i < x.size(); i += 5) {
      CHECK(rlt::gradient_error(x[i], dx[i], loss) < tolerance);
      CHECK(rlt::gradient_error(y[i], dy[i], loss) < tolerance);
    }
    for (const rlt::Parameter<double>& parameter : subject.parameters.all()) {
      CAPTURE(parameter.name);
      for (Index i = 0; i < parameter.count(); i += 3) {
        CHECK(rlt::gradient_error(parameter.value[i], parameter.gradient[i], loss) < tolerance);
      }
    }
  }
}

TEST_CASE("GRU gate: dx may lie where dout was, and parameter gradients add up") {
  Subject<double> subject(5);
  const std::vector<double> x = support::numbers(5 * width, 1);
  const std::vector<double> y = support::numbers(5 * width, 2);
  const std::vector<double> dout = support::numbers(5 * width, 3);
  subject.forward(x, y);
  std::vector<double> dx(x.size()), dy(x.size());
  subject.backward(x, y, dout, dx, dy);
  std::vector<double> twice(subject.parameters.gradients(),
                            subject.parameters.gradients() + subject.parameters.flat_size());
  for (double& gradient : twice) gradient *= 2;
  std::vector<double> in_place = dout, again(x.size());
  subject.backward(x, y, in_place, in_place, again);
  CHECK(in_place == dx);
  CHECK(again == dy);
  const std::vector<double> sum(subject.parameters.gradients(),
                                subject.parameters.gradients() + subject.parameters.flat_size());
  CHECK(support::largest_difference(sum, twice) < 1e-14);
}

TEST_CASE("GRU gate: 1, 2 and 3 threads give the same bits") {
  const int before = rlt::thread_count();
  constexpr Index rows = 517;  // four parts
  const std::vector<float> x = support::numbers<float>(rows * width, 1);
  const std::vector<float> y = support::numbers<float>(rows * width, 2);
  const std::vector<float> dout = support::numbers<float>(rows * width, 3);
  std::vector<float> first;
  for (const int threads : {1, 2, 3}) {
    rlt::set_thread_count(threads);
    Subject<float> subject(rows);
    std::vector<float> all = subject.forward(x, y);
    std::vector<float> dx(x.size()), dy(x.size());
    subject.backward(x, y, dout, dx, dy);
    all.insert(all.end(), dx.begin(), dx.end());
    all.insert(all.end(), dy.begin(), dy.end());
    all.insert(all.end(), subject.parameters.gradients(),
               subject.parameters.gradients() + subject.parameters.flat_size());
    if (threads == 1) first = all;
    CHECK(all == first);
  }
  rlt::set_thread_count(before);
}

TEST_CASE("GRU gate: it starts with 6 D^2 + D numbers, near the identity") {
  Subject<double> subject(1);
  CHECK(subject.parameters.count() == 6 * width * width + width);
  const std::vector<double> x = support::numbers(width, 1);
  const std::vector<double> nothing(width, 0.0);
  std::ranges::fill_n(subject.named("gate.recurrent").value, 2 * width * width, 0.0);
  std::ranges::fill_n(subject.named("gate.candidate").value, width * width, 0.0);
  std::vector<double> kept = x;
  for (double& value : kept) value *= 1 - 1 / (1 + std::exp(2.0));  // c = 0, z = sigmoid(-2)
  CHECK(support::largest_difference(subject.forward(x, nothing), kept) < 1e-15);
}
