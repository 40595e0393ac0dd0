// How much memory is left, asked before taking much of it: a program that takes more than there is gets killed
// without a word, or slows the whole machine down.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace rlt {

struct MemoryLeft {
  std::size_t bytes;
  std::string_view where;  // which limit is the nearest, as the end of "2.0 GiB are left ..."
};

/// What this process may still take: the least of the machine's free memory (MemAvailable), of what the
/// limits of its control groups leave (versions 1 and 2, page cache in use counted as free) and of the limit
/// of its address space (ulimit -v). A limit that cannot be read is none. `system` stands for / in tests.
MemoryLeft memory_left(const std::filesystem::path& system = "/");

/// Error(failed), one line, when `bytes` are more than what is left; `what` needs them, `smaller` names the
/// settings that make it smaller.
void require_memory(std::size_t bytes, std::string_view what, std::string_view smaller,
                    const MemoryLeft& left = memory_left());

/// "3.2 GiB", "17.0 MiB"
std::string bytes_text(std::size_t bytes);

}  // namespace rlt
