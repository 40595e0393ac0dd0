#include "train/forecast_csv.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

using namespace rlt;

TEST_CASE("eval.csv of real numbers: one row for the model, one for each reference") {
  RunConfig config;
  config.task = "events";
  config.cell = "gru";
  config.learning_rate = 0.25;
  config.seed = 17;
  EvaluationSet set;
  set.split = "test";
  set.examples.resize(3);
  set.hash = "abc";
  const Measured run{.config = config,
                     .set = set,
                     .score = {},
                     .parameters = 1000,
                     .state_size = 64,
                     .step = 300,
                     .select = "best"};
  const Score score{.loss = 12,
                    .tokens = 8,
                    .tokens_correct = 6,
                    .numbers = 16,
                    .squared_error = 4,
                    .absolute_error = 2,
                    .time_loss = 4};
  const auto row_of = [&](const std::string& forecaster, const Score& counted) {
    const std::vector<CsvCell> cells = forecast_cells({run, forecaster, counted});
    std::map<std::string, std::string> row;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      row[std::string(forecast_columns()[i].name)] = cells[i].text();
    }
    return row;
  };
  CHECK(row_of("model", score) ==
        std::map<std::string, std::string>{{"task", "events"},      {"cell", "gru"},
                                           {"options", ""},         {"learning_rate", "0.25"},
                                           {"seed", "17"},          {"step", "300"},
                                           {"select", "best"},      {"split", "test"},
                                           {"forecaster", "model"}, {"parameters", "1000"},
                                           {"state_size", "64"},    {"sequences", "3"},
                                           {"tokens", "8"},         {"numbers", "16"},
                                           {"loss", "1.5"},         {"mse", "0.25"},
                                           {"rmse", "0.5"},         {"mae", "0.125"},
                                           {"time_loss", "0.5"},    {"mark_accuracy", "0.75"},
                                           {"data_hash", "abc"}});
  const auto oracle = row_of("oracle", {.loss = 2, .tokens = 4});
  CHECK(oracle.at("forecaster") == "oracle");
  CHECK(oracle.at("loss") == "0.5");
  for (const char* missing :
       {"parameters", "state_size", "mse", "rmse", "mae", "time_loss", "mark_accuracy"}) {
    CAPTURE(missing);
    CHECK(oracle.at(missing).empty());
  }
}
