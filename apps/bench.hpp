// What the measurements of `rlt bench` share.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "commands.hpp"
#include "model/model_config.hpp"

namespace rlt {

struct BenchCommand {
  RunConfig config;
  GivenFlags given;
  Index length = 50;
  Index repeats = 21;
  bool step = false;
  std::string csv;  // empty: a table on stdout; "-": CSV on stdout
};

inline constexpr Index bench_inputs = 4;   // symbols that the model reads
inline constexpr Index bench_outputs = 3;  // classes that it tells apart

ModelConfig bench_model(const RunConfig& config);

/// What repeated measurements say.
struct Measurements {
  double median = 0;
  double least = 0;
  double spread = 0;  // from the first to the third quarter of them, as a share of the median
};
Measurements measurements(std::vector<double> values);

/// Columns that say which program on which machine: commit, processor.
std::vector<std::string> with_machine_columns(std::vector<std::string> columns);
std::vector<CsvCell> with_machine(std::vector<CsvCell> cells);

/// A training step, its forward pass, and its dense products alone: a table, or a row of `csv`.
std::vector<std::string> training_columns();
void bench_training(const BenchCommand& command, CsvFile* csv);

/// The time of one token with the state carried: a line, or a row of `csv`.
std::vector<std::string> step_columns();
void bench_step(const BenchCommand& command, CsvFile* csv);

/// The steps per second of the environment alone, under uniform actions: a table, or a row of `csv`.
std::vector<std::string> environment_columns();
void bench_environment(const BenchCommand& command, CsvFile* csv);

}  // namespace rlt
