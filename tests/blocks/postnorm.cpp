#include <doctest/doctest.h>

#include "support/block_fixture.hpp"

using support::BlockFixture;
using support::Numbers;

TEST_CASE(
    "postnorm: m = norm(x + cell(x)), y = norm(m + FF(m)), and its gradients, with dropout too") {
  support::check_block("postnorm", [](const BlockFixture& parts, const Numbers& x) {
    const Numbers m = parts.norm("norm", parts.sum(x, parts.cell(x)));
    return parts.norm("ff.norm", parts.sum(m, parts.feed_forward(m)));
  });
}

TEST_CASE("postnorm: the state of the cell goes in and comes out") {
  support::check_block_state("postnorm");
}
