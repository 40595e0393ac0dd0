#include "nn/embedding.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "base/parallel.hpp"
#include "support/numbers.hpp"

using rlt::Index;
using rlt::Matrix;

namespace {

struct Subject {
  Index vocabulary, width;
  rlt::ParameterSet<double> parameters;
  rlt::Embedding<double> embedding;

  Subject(Index vocabulary_, Index width_) : vocabulary(vocabulary_), width(width_) {
    embedding.declare(parameters, "embedding", vocabulary, width);
    parameters.allocate();
    parameters.initialize(1);
  }
  const rlt::Parameter<double>& weight() const { return parameters.all().front(); }
};

}  // namespace

TEST_CASE("embedding: every row is the vector of its token, and the gap between rows stays") {
  const Subject subject(5, 3);
  CHECK(subject.weight().name == "embedding.weight");
  CHECK(subject.weight().shape == std::vector<Index>{5, 3});
  const std::vector<int> tokens = {4, 0, 4, 2};
  std::vector<double> y(4 * 5, 77.0);
  subject.embedding.forward(tokens.data(), Matrix<double>(y.data(), 4, 3, 5));
  for (std::size_t r = 0; r < 4; ++r) {
    for (Index c = 0; c < 3; ++c) CHECK(y[r * 5 + c] == subject.weight().value[tokens[r] * 3 + c]);
    CHECK(y[r * 5 + 3] == 77);
    CHECK(y[r * 5 + 4] == 77);
  }
}

// Widths on both sides of the pieces of 32 columns that threads take.
TEST_CASE("embedding: the gradients of a token's rows add up, onto what is there") {
  for (const Index width : {1, 31, 32, 70}) {
    CAPTURE(width);
    Subject subject(6, width);
    const std::vector<int> tokens = {1, 3, 1, 5, 1, 0, 3};
    const Index rows = std::ssize(tokens);
    const std::vector<double> dy = support::numbers(rows * (width + 2), 4);
    std::vector<double> expected(static_cast<std::size_t>(6 * width), 0.5);
    std::copy(expected.begin(), expected.end(), subject.weight().gradient);
    for (Index r = 0; r < rows; ++r) {
      for (Index c = 0; c < width; ++c) expected[tokens[r] * width + c] += dy[r * (width + 2) + c];
    }
    subject.embedding.backward(tokens.data(), {dy.data(), rows, width, width + 2});
    const double* const gradient = subject.weight().gradient;
    CHECK(std::vector<double>(gradient, gradient + 6 * width) == expected);
  }
}
