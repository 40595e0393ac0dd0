#include "train/train_csv.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace rlt;

TEST_CASE("train csv: every column is named once and explained") {
  std::vector<std::string> names = train_header();
  for (const TrainColumn& column : train_columns()) {
    CHECK(!column.name.empty());
    CHECK(!column.meaning.empty());
  }
  std::ranges::sort(names);
  CHECK(std::ranges::adjacent_find(names) == names.end());
}

TEST_CASE("train csv: means are over what was counted, and 0 where nothing was") {
  const RunConfig config;
  TrainingState state;
  const auto text = [&](std::string_view name) {
    const std::vector<TrainColumn>& columns = train_columns();
    const auto column =
        std::ranges::find_if(columns, [&](const TrainColumn& c) { return c.name == name; });
    return column->cell({.config = config, .state = state}).text();
  };
  for (const char* const name : {"loss", "token_accuracy", "sequence_accuracy"}) {
    CHECK(text(name) == CsvCell(0.0).text());
  }
  state.interval.loss = 6;
  state.interval.tokens = 4;
  state.interval.tokens_correct = 3;
  state.interval.sequences = 2;
  state.interval.sequences_correct = 1;
  CHECK(text("loss") == "1.5");
  CHECK(text("token_accuracy") == "0.75");
  CHECK(text("sequence_accuracy") == "0.5");
}
