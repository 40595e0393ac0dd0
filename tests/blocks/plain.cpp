// The wrapping that is none.
#include <doctest/doctest.h>

#include "support/block_fixture.hpp"

TEST_CASE("plain: the layer is the cell itself") {
  auto cell = std::make_unique<support::LeakySum>(6);
  const rlt::Cell<double>* const itself = cell.get();
  CHECK(rlt::wrap<double>("plain", std::move(cell), 6, 11).get() == itself);
}
