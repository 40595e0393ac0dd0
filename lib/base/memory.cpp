#include "base/memory.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>

#include "base/error.hpp"

namespace rlt {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

/// The number behind `name` in a file of lines "NAME NUMBER ..."; with an empty name the first word.
std::optional<std::size_t> number_in(const fs::path& path, std::string_view name = {}) {
  std::ifstream file(path);
  std::string word;
  while (!name.empty() && file >> word && word != name) {
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  std::size_t number = 0;
  if (file >> number) return number;
  return {};
}

std::size_t difference(std::size_t a, std::size_t b) { return a > b ? a - b : 0; }

std::size_t machine_left(const fs::path& system) {
  const std::optional<std::size_t> kibibytes = number_in(system / "proc/meminfo", "MemAvailable:");
  return kibibytes ? *kibibytes * 1024 : unlimited;
}

struct GroupFiles {
  const char *root, *limit, *used, *cache;
};
constexpr GroupFiles version1 = {"sys/fs/cgroup/memory", "memory.limit_in_bytes",
                                 "memory.usage_in_bytes", "total_inactive_file"};
constexpr GroupFiles version2 = {"sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"};

/// What a group and those above it leave.
std::size_t group_left(const fs::path& system, const GroupFiles& files, const fs::path& group) {
  const fs::path root = system / files.root;
  std::size_t left = unlimited;
  for (fs::path at = root / group.relative_path(); at != at.parent_path(); at = at.parent_path()) {
    const std::optional<std::size_t> limit = number_in(at / files.limit);
    const std::optional<std::size_t> used = number_in(at / files.used);
    const std::size_t cache = number_in(at / "memory.stat", files.cache).value_or(0);
    if (limit && used) left = std::min(left, difference(*limit, difference(*used, cache)));
    if (at == root) break;
  }
  return left;
}

std::size_t groups_left(const fs::path& system) {
  std::size_t left = unlimited;
  std::ifstream file(system / "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {  // NUMBER:CONTROLLERS:PATH
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const std::string group = line.substr(second + 1);
    if (controllers == ",,") left = std::min(left, group_left(system, version2, group));
    if (controllers.find(",memory,") != std::string::npos) {
      left = std::min(left, group_left(system, version1, group));
    }
  }
  return left;
}

std::size_t address_space_left(const fs::path& system) {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return unlimited;
  const std::size_t pages = number_in(system / "proc/self/statm").value_or(0);
  return difference(limit.rlim_cur, pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)));
}

}  // namespace

MemoryLeft memory_left(const fs::path& system) {
  return std::min({MemoryLeft{machine_left(system), "on this machine"},
                   MemoryLeft{groups_left(system), "under the limit of the control group"},
                   MemoryLeft{address_space_left(system), "of the address space (ulimit -v)"}},
                  [](const MemoryLeft& a, const MemoryLeft& b) { return a.bytes < b.bytes; });
}

void require_memory(std::size_t bytes, std::string_view what, std::string_view smaller,
                    const MemoryLeft& left) {
  if (bytes <= left.bytes) return;
  fail(Exit::failed, "{}: {} of memory needed, {} left {}; make {} smaller", what,
       bytes_text(bytes), bytes_text(left.bytes), left.where, smaller);
}

std::string bytes_text(std::size_t bytes) {
  constexpr double mebi = 1024.0 * 1024.0;
  const double size = static_cast<double>(bytes) / mebi;
  return size < 1024 ? fmt::format("{:.1f} MiB", size) : fmt::format("{:.1f} GiB", size / 1024);
}

}  // namespace rlt
