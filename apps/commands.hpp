// The commands of the program. main.cpp fills these settings from the command line; each command lives in
// its own file and returns the exit code or throws Error.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/option.hpp"
#include "io/csv.hpp"
#include "train/run_config.hpp"

namespace rlt {

/// What the user chose, by name: a flag on the command line, or a setting wherever it came from. Also when it
/// is what the default would be, but not what a file says by default.
using GivenFlags = std::vector<std::string>;

struct TrainCommand {
  RunConfig config;
  GivenFlags given;
  std::string out;  // empty: runs/TASK_RULE/CELL/seed-N
  bool resume = false;
  bool force = false;
  bool quiet = false;
  double time_limit = 0;  // seconds; 0: none
  double require = 0;
  std::string command_line;
};
Exit run_train(const TrainCommand& command);

struct EvalCommand {
  std::string run;      // run folder or checkpoint file
  std::string bins;     // "0,1,2"
  std::string lengths;  // "50,100-500:50"
  std::string select;   // best or last of a run folder; empty: best
  Index sequences = 500;
  Index batch = 32;
  Index piece = 128;  // tokens read at once
  std::uint64_t eval_seed = 1;
  std::string csv;   // empty or "-": stdout
  std::string data;  // where the run's own data lie now
  GivenFlags given;
};
Exit run_eval(const EvalCommand& command);

struct GradcheckCommand {
  std::string cell;
  bool all = false;
  double tolerance = 1e-6;
  Index entries = 40;       // checked of each parameter
  std::string spoil;        // falsifies this gradient on purpose, to see the check fail
  std::string export_file;  // instead of checking: a small model with logits and gradients
};
Exit run_gradcheck(const GradcheckCommand& command);

struct BenchCommand {
  RunConfig config;
  GivenFlags given;
  Index length = 50;
  Index repeats = 21;
  std::string csv;  // empty: a table on stdout; "-": CSV on stdout
};
Exit run_bench(const BenchCommand& command);

struct DataCommand {
  RunConfig config;
  GivenFlags given;
  Index bin = 0;
  std::string lengths;
  Index sequences = 5;
  std::string write;  // folder for train, valid and test in the paper's text form
};
Exit run_data(const DataCommand& command);

Exit run_cells(const std::string& name);
/// An empty rule: paper.
Exit run_tasks(const std::string& name, const std::string& rule);
Exit run_info(const std::string& path);

/// One line for each option of a cell or task: `flag` ("cell-option"), name, help, values, default.
void print_options(std::string_view flag, const std::vector<Option>& options);

/// The file of --csv; stdout for "-" and where none is named.
CsvFile open_csv(const std::string& csv, std::vector<std::string> columns);

/// Error(failed) when `flag` would replace the file at `path`, or the one that a link there leads to. What can
/// only be written to, a device or a pipe, may be there.
void require_new(std::string_view flag, const std::filesystem::path& path);

/// Error(usage) when one of `flags` was given although it does not apply, because of `why`.
void refuse_flags(const GivenFlags& given, std::initializer_list<const char*> flags,
                  std::string_view why);
/// The same for the settings that mean nothing to the task.
void refuse_inapplicable(const GivenFlags& given, const RunConfig& config);

/// A line on stderr when `name` was given, though it changes nothing.
void note_idle(const GivenFlags& given, std::string_view name, std::string_view reason);
/// The same for all that are idle in a complete `config`.
void note_idle(const GivenFlags& given, const RunConfig& config);

/// "50,100-500:50" -> 50, 100, 150, ..., 500, all in [low, high]. Error(usage) naming `flag` when it is no
/// such list, or one of more than a million numbers.
std::vector<Index> parse_list(std::string_view flag, const std::string& text, Index low,
                              Index high);

/// "90", "90s", "15m", "3h50m" in seconds. Error(usage) naming `flag` when it is no time above 0.
double parse_duration(std::string_view flag, const std::string& text);

}  // namespace rlt
