// Which files of a folder a run wrote, and how they go.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace rlt {

/// The first line of every config.toml, without its "# ".
inline constexpr const char* config_comment = "rlt train --config FILE repeats this run";

/// What a run writes into its folder, whether it is there or not, in the order in which it may go: without DONE
/// the run is not finished, the weights go before the settings that say what they are, and those go last.
std::vector<std::filesystem::path> own_files(const std::filesystem::path& folder);

/// One of `own_files` was written by this program, as far as its beginning tells; one that is empty or was cut
/// short counts.
bool written_by_run(const std::filesystem::path& file);

/// What runs and `rlt eval --csv` left in the folder, in the order in which it may go.
std::vector<std::filesystem::path> files_of_run(const std::filesystem::path& folder);
/// The part of it that a process had begun to write when it was killed: NAME.PROCESS.partial.
std::vector<std::filesystem::path> files_left_aside(const std::filesystem::path& folder);

/// Removes them all. Error(failed), and all are still there, when one of them cannot go. A process killed in
/// between leaves the last ones, and *.partial of the others.
void remove_together(const std::vector<std::filesystem::path>& files);

}  // namespace rlt
