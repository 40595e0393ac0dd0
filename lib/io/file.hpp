// Whole files and folders. A file that exists is never seen half written.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace rlt {

/// Writes `content` aside in the same folder (NAME.PROCESS.partial), flushes file and folder to the
/// disk, and renames. A symbolic link is followed; a device, a pipe, or what
/// stdout goes to is written in place.
/// Error(failed) with the path and the system's reason when anything goes wrong (full disk, missing
/// or unwritable folder): the old file is then untouched and nothing is left beside it.
void write_file(const std::filesystem::path& path, std::span<const std::byte> content);
void write_file(const std::filesystem::path& path, std::string_view content);
/// The same for content that lies in several pieces.
void write_file(const std::filesystem::path& path,
                std::span<const std::span<const std::byte>> pieces);

/// Error(failed) when the file is missing, a folder, or cannot be read.
std::string read_file(const std::filesystem::path& path);

/// Makes the folder and those above it; it may exist. Error(failed) when that is impossible.
void make_folder(const std::filesystem::path& path);

}  // namespace rlt
