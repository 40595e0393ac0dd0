#include "train/eval_csv.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace rlt;

TEST_CASE("eval csv: every column is named once and explained") {
  std::vector<std::string> names = eval_header();
  for (const EvalColumn& column : eval_columns()) {
    CAPTURE(column.name);
    CHECK(!column.name.empty());
    CHECK(!column.meaning.empty());
  }
  std::ranges::sort(names);
  CHECK(std::ranges::adjacent_find(names) == names.end());
}
