// The commands of the program, and what they share. Each lives in its own file, declares its flags there, and
// returns the exit code or throws Error.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/option.hpp"
#include "flags.hpp"
#include "io/csv.hpp"
#include "mixing/state_layout.hpp"
#include "train/run_config.hpp"

namespace rlt {

extern const Command train_command, eval_command, gradcheck_command, bench_command, cells_command,
    tasks_command, data_command, info_command;

/// One line for each option of a cell or task: `flag` ("cell-option"), name, help, values, default.
void print_options(std::string_view flag, const std::vector<Option>& options);

/// The pieces with their shapes, "4 heads x (W (16, 16), y (16))"; "none" when there is none.
std::string layout_text(const StateLayout& layout);

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
