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
double median(std::vector<double> values);

/// The time of one token with the state carried, for each batch: a table, or rows of --csv.
void bench_step(const BenchCommand& command, const std::vector<Index>& batches);

/// The steps per second of the environment alone, under uniform actions: a table, or a row of --csv.
void bench_environment(const BenchCommand& command);

}  // namespace rlt
