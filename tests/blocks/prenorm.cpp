#include <doctest/doctest.h>

#include "support/block_fixture.hpp"

using support::BlockFixture;
using support::Numbers;

TEST_CASE("prenorm: m = x + cell(LN(x)), y = m + FF(LN(m)), and its gradients, with dropout too") {
  support::check_block("prenorm", [](const BlockFixture& parts, const Numbers& x) {
    const Numbers m = parts.sum(x, parts.cell(parts.norm("norm", x)));
    return parts.sum(m, parts.feed_forward(parts.norm("ff.norm", m)));
  });
}

TEST_CASE("skipnorm: m = LN(x) + cell(x), y = m + FF(LN(m)), and its gradients, with dropout too") {
  support::check_block("skipnorm", [](const BlockFixture& parts, const Numbers& x) {
    const Numbers m = parts.sum(parts.norm("norm", x), parts.cell(x));
    return parts.sum(m, parts.feed_forward(parts.norm("ff.norm", m)));
  });
}

TEST_CASE("prenorm and skipnorm: the state of the cell goes in and comes out") {
  support::check_block_state("prenorm");
  support::check_block_state("skipnorm");
}
