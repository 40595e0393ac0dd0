#include <doctest/doctest.h>

#include "support/block_fixture.hpp"

using rlt::Index;
using support::BlockFixture;
using support::Numbers;

namespace {

constexpr double epsilon = 1e-6;

Numbers relu(Numbers rows) {
  for (double& value : rows) value = std::max(value, 0.0);
  return rows;
}

double sigmoid(double a) { return 1 / (1 + std::exp(-a)); }

/// (1 - z) x + z c with a reset gate r on x, row by row.
Numbers gate(const BlockFixture& parts, const std::string& name, const Numbers& x,
             const Numbers& y) {
  constexpr Index width = BlockFixture::width;
  const double* const w = parts.named("block." + name + ".input");
  const double* const u = parts.named("block." + name + ".recurrent");
  const double* const u_c = parts.named("block." + name + ".candidate");
  const double* const b = parts.named("block." + name + ".bias");
  Numbers out(x.size());
  for (Index first = 0; first < std::ssize(x); first += width) {
    Numbers r(width, 0.0), z(width, 0.0), c(width, 0.0);
    for (Index j = 0; j < width; ++j) {
      for (Index i = 0; i < width; ++i) {
        const double* const row = w + i * 3 * width + j;
        r[j] += y[first + i] * row[0] + x[first + i] * u[i * 2 * width + j];
        z[j] += y[first + i] * row[width] + x[first + i] * u[i * 2 * width + width + j];
        c[j] += y[first + i] * row[2 * width];
      }
    }
    for (Index j = 0; j < width; ++j) {
      for (Index i = 0; i < width; ++i) {
        c[j] += sigmoid(r[i]) * x[first + i] * u_c[i * width + j];
      }
      const double open = sigmoid(z[j] - b[j]);
      out[first + j] = (1 - open) * x[first + j] + open * std::tanh(c[j]);
    }
  }
  return out;
}

Numbers behind_cell(const BlockFixture& parts, const Numbers& x, const Numbers& a) {
  const Numbers u = gate(parts, "gate", x, a);
  const Numbers m = relu(parts.feed_forward(parts.norm("ff.norm", u, epsilon)));
  return gate(parts, "ff.gate", u, m);
}

}  // namespace

TEST_CASE(
    "gated: u = gate(x, relu(cell(norm(x)))), y = gate(u, relu(FF(norm(u)))), and its gradients") {
  support::check_block("gated", [](const BlockFixture& parts, const Numbers& x) {
    return behind_cell(parts, x, relu(parts.cell(parts.norm("norm", x, epsilon))));
  });
}

TEST_CASE("gated_stream: the cell reads the raw stream; all else is as in gated") {
  support::check_block("gated_stream", [](const BlockFixture& parts, const Numbers& x) {
    return behind_cell(parts, x, relu(parts.cell(x)));
  });
}

TEST_CASE("gated and gated_stream: the state of the cell goes in and comes out") {
  support::check_block_state("gated");
  support::check_block_state("gated_stream");
}

// The layers of AGaLiTe's code at D = F = 128, less the cell: two gates, two norms, two dense layers.
TEST_CASE("gated and gated_stream: parameter counts are those of the papers' code") {
  const auto count = [](const char* name) {
    rlt::ParameterSet<double> parameters;
    rlt::wrap<double>(name, std::make_unique<support::LeakySum>(128), 128, 128)
        ->declare(parameters, "block");
    return parameters.count() - 128;  // LeakySum's
  };
  constexpr Index gates = 2 * (6 * 128 * 128 + 128);
  constexpr Index dense = 2 * (128 * 128 + 128);
  CHECK(count("gated") == gates + dense + 2 * 256);
  CHECK(count("gated_stream") == gates + dense + 256);
}

TEST_CASE("gated: every matrix of a gate starts orthogonal on its own, with gain sqrt(2)") {
  constexpr Index width = BlockFixture::width;
  rlt::ParameterSet<double> parameters;
  const auto block =
      rlt::wrap<double>("gated", std::make_unique<support::LeakySum>(width), width, width);
  block->declare(parameters, "block");
  parameters.allocate();
  parameters.initialize(1);
  for (const rlt::Parameter<double>& parameter : parameters.all()) {
    if (parameter.name != "block.gate.input" && parameter.name != "block.ff.gate.recurrent") {
      continue;
    }
    const Index cols = parameter.shape.back();
    for (Index first = 0; first < cols; first += width) {
      for (Index a = 0; a < width; ++a) {
        for (Index b = 0; b < width; ++b) {
          double product = 0;
          for (Index i = 0; i < width; ++i) {
            const double* const row = parameter.value + i * cols + first;
            product += row[a] * row[b];
          }
          CHECK(product == doctest::Approx(a == b ? 2 : 0).epsilon(1e-12));
        }
      }
    }
  }
}
