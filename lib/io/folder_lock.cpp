#include "io/folder_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <system_error>

#include "base/error.hpp"

namespace rlt {
namespace {

namespace fs = std::filesystem;

/// False when the path leads to another folder by now, or to none.
bool still_there(const Descriptor& opened, const fs::path& folder) {
  struct stat one {};
  struct stat other {};
  return ::fstat(opened.number(), &one) == 0 && ::stat(folder.c_str(), &other) == 0 &&
         one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/// Why no folder could be made: what is there instead may be a file, or a link in a circle.
int reason(const fs::path& path, std::error_code code) {
  struct stat facts {};
  if (code != std::errc::file_exists) return code.value();
  return ::stat(path.c_str(), &facts) == 0 ? ENOTDIR : errno;
}

}  // namespace

std::optional<FolderLock> FolderLock::exclusive(const fs::path& folder) {
  return take(folder, LOCK_EX);
}

std::optional<FolderLock> FolderLock::shared(const fs::path& folder) {
  return take(folder, LOCK_SH);
}

std::optional<FolderLock> FolderLock::take(const fs::path& folder, int kind) {
  // Who gives up removes the empty folder that it made, perhaps under our hands: then once more.
  constexpr int tries = 100;
  for (int i = 0; i < tries; ++i) {
    FolderLock lock;
    if (kind == LOCK_EX) lock.make(folder);
    lock.folder_ = Descriptor(folder, O_RDONLY | O_DIRECTORY);
    if (!lock.folder_.is_open()) {
      if (errno == ENOENT && kind == LOCK_EX) continue;
      fail_system("open the folder", folder, errno);
    }
    if (::flock(lock.folder_.number(), kind | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) {
        lock.made_.clear();  // it is the other's now
        return std::nullopt;
      }
      lock.missing_ = std::generic_category().message(errno);
    }
    if (still_there(lock.folder_, folder)) return lock;
    lock.made_.clear();
  }
  fail(Exit::failed, "cannot lock the folder '{}': it is removed again and again", folder.string());
}

void FolderLock::make(const fs::path& folder) {
  fs::path at;
  for (const fs::path& part : folder) {
    at /= part;
    std::error_code code;
    if (fs::create_directory(at, code)) made_.push_back(at);
    // Removed by another between this step and the last: `take` tries again.
    if (code == std::errc::no_such_file_or_directory) return;
    if (code) fail_system("make the folder", folder, reason(at, code));
  }
}

FolderLock::~FolderLock() {
  for (auto at = made_.rbegin(); at != made_.rend(); ++at) {
    const fs::path& folder = *at;
    if (::rmdir(folder.c_str()) != 0) break;
  }
}

std::optional<long> lock_holder(const fs::path& folder) {
  struct stat facts {};
  if (::stat(folder.c_str(), &facts) != 0) return std::nullopt;
  const std::string wanted =
      fmt::format("{:02x}:{:02x}:{}", major(facts.st_dev), minor(facts.st_dev), facts.st_ino);
  std::ifstream file("/proc/locks");
  for (std::string line; std::getline(file, line);) {
    // "7: FLOCK ADVISORY WRITE 1234 08:01:5678 0 EOF"; "->" marks those who wait
    std::istringstream words(line);
    std::string number, kind, advisory, mode, place;
    long process = 0;
    words >> number >> kind >> advisory >> mode >> process >> place;
    if (words && kind == "FLOCK" && place == wanted && process > 0) return process;
  }
  return std::nullopt;
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

}  // namespace rlt
