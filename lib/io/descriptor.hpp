// An open file of the operating system, closed at the end of its scope.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

namespace rlt {

/// Error(failed): "cannot ACTION 'PATH': REASON", with the reason of the system error `code`.
[[noreturn]] void fail_system(const char* action, const std::filesystem::path& path, int code);
/// The same for what should go to stdout, which may also be closed.
[[noreturn]] void fail_stdout(int code);

class Descriptor {
 public:
  Descriptor() = default;
  /// `flags` as of open(2); new files get the usual permissions. Check `is_open`; errno is set.
  Descriptor(const std::filesystem::path& path, int flags);
  /// Another number for stdout, wherever that goes. Error(failed) when it is closed.
  static Descriptor standard_output();
  /// What can only be written to, never replaced: a device, a pipe, or whatever stdout and stderr go
  /// to, also when that is a file (/dev/stdout under `> FILE`). Nothing for an ordinary file or a
  /// missing one. Error(failed) when it cannot be opened.
  static std::optional<Descriptor> stream(const std::filesystem::path& path);
  ~Descriptor() { close(); }
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;

  bool is_open() const { return number_ >= 0; }
  int number() const { return number_; }
  /// All bytes, or the system's error code; 0 when done.
  int write(std::span<const std::byte> bytes);
  /// Puts what was written on the disk; an error code or 0. A pipe or device has nothing to do.
  int flush();
  int close();

 private:
  int number_ = -1;
};

/// Keeps other processes that do the same out of a file while it lives (flock). A process that is
/// killed leaves no lock behind. Where the file system knows no locks, nobody is kept out.
class FileLock {
 public:
  /// Waits for its turn. Error(failed) when another program holds on to the file for a minute.
  FileLock(const Descriptor& file, const std::filesystem::path& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int number_;
};

}  // namespace rlt
