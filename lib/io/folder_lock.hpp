// A folder in use is locked by the system (flock on the folder itself, no file in it), so that a process that
// was killed leaves nothing behind.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "io/descriptor.hpp"

namespace rlt {

class FolderLock {
 public:
  /// For the one process that may change what is there. Makes the folder and those above it; when the lock
  /// ends, those that it made and that are still empty are removed. Nothing when another process holds a lock;
  /// Error(failed) when the folder cannot be made or opened.
  static std::optional<FolderLock> exclusive(const std::filesystem::path& folder);
  /// For those who only add to it, any number at the same time. The folder must be there.
  static std::optional<FolderLock> shared(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(FolderLock&&) noexcept = default;
  FolderLock& operator=(FolderLock&&) = delete;

  /// Why the file system knows no locks (some network ones do not): nothing is locked then. Else empty.
  const std::string& missing() const { return missing_; }

 private:
  FolderLock() = default;
  void make(const std::filesystem::path& folder);
  static std::optional<FolderLock> take(const std::filesystem::path& folder, int kind);

  Descriptor folder_;
  std::vector<std::filesystem::path> made_;  // the highest first
  std::string missing_;
};

/// The process of this machine that holds a lock on the folder, as far as the system tells.
std::optional<long> lock_holder(const std::filesystem::path& folder);
/// The name of this machine.
std::string host_name();

}  // namespace rlt
