#include <doctest/doctest.h>

#include "support/block_fixture.hpp"

using support::BlockFixture;
using support::Numbers;

TEST_CASE(
    "prenorm: m = x + cell(norm(x)), y = m + FF(norm(m)), and its gradients, with dropout too") {
  support::check_block("prenorm", [](const BlockFixture& parts, const Numbers& x) {
    const Numbers m = parts.sum(x, parts.cell(parts.norm("norm", x)));
    return parts.sum(m, parts.feed_forward(parts.norm("ff.norm", m)));
  });
}

TEST_CASE(
    "skipnorm: m = norm(x) + cell(x), y = m + FF(norm(m)), and its gradients, with dropout too") {
  support::check_block("skipnorm", [](const BlockFixture& parts, const Numbers& x) {
    const Numbers m = parts.sum(parts.norm("norm", x), parts.cell(x));
    return parts.sum(m, parts.feed_forward(parts.norm("ff.norm", m)));
  });
}

TEST_CASE("prenorm_bare: as prenorm, with RMS norms and no biases, and its gradients") {
  const auto definition = [](const BlockFixture& parts, const Numbers& x) {
    const Numbers m = parts.sum(x, parts.cell(parts.rms_norm("norm", x)));
    return parts.sum(m, parts.feed_forward(parts.rms_norm("ff.norm", m)));
  };
  support::check_block("prenorm_bare", definition, rlt::NormForm::rms);
  const BlockFixture fixture("prenorm_bare", {1, 2}, rlt::NormForm::rms);
  for (const rlt::Parameter<double>& parameter : fixture.parameters.all()) {
    CHECK_FALSE(parameter.name.ends_with("bias"));
  }
  CHECK(rlt::block_info("prenorm_bare").top == rlt::Top::norm);
}

TEST_CASE("prenorm and skipnorm: the state of the cell goes in and comes out") {
  support::check_block_state("prenorm");
  support::check_block_state("skipnorm");
}
