// Whole files and folders. A file that exists is never seen half written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "io/descriptor.hpp"

namespace rlt {

/// Writes `content` aside in the same folder (NAME.PROCESS.partial), flushes file and folder to the
/// disk, and renames. Symbolic links are followed, also to a file that is made only now, and stay
/// links; a device, a pipe, or what stdout goes to is written in place.
/// Error(failed) with the path and the system's reason when anything goes wrong (full disk, missing
/// or unwritable folder): the old file is then untouched and nothing is left beside it.
void write_file(const std::filesystem::path& path, std::span<const std::byte> content);
void write_file(const std::filesystem::path& path, std::string_view content);
/// The same for content that lies in several pieces.
void write_file(const std::filesystem::path& path,
                std::span<const std::span<const std::byte>> pieces);

/// Opens a file to read any part of it. Error(failed) when it is missing, cannot be read, or is no
/// regular file: a pipe could make us wait for ever, a device could have no end.
Descriptor open_regular(const std::filesystem::path& path);
/// Bytes of an open file.
std::uint64_t file_size(const Descriptor& file, const std::filesystem::path& path);
/// Fills `bytes` from `offset` on; returns how many there were, fewer only at the end of the file.
std::size_t read_at(const Descriptor& file, const std::filesystem::path& path, std::uint64_t offset,
                    std::span<std::byte> bytes);

/// What settings and facts of a run never exceed.
inline constexpr std::size_t largest_text = std::size_t{1} << 20;
/// What is read whole into memory.
inline constexpr std::size_t largest_file = std::size_t{1} << 30;

/// A whole file of at most `largest` bytes; pipes and devices will do. Error(failed) when it is
/// missing, a folder, larger, a pipe that nobody writes to, or cannot be read.
std::string read_file(const std::filesystem::path& path, std::size_t largest = largest_file);

/// Whether there is something of that name; a link that leads nowhere is not. Error(failed) where
/// nobody can know: no access, a name that is too long, a loop of links.
bool file_exists(const std::filesystem::path& path);
bool is_folder(const std::filesystem::path& path);

/// Makes the folder and those above it; it may exist. Error(failed) when that is impossible.
void make_folder(const std::filesystem::path& path);

}  // namespace rlt
