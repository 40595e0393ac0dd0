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

class Descriptor {
 public:
  Descriptor() = default;
  /// `flags` as of open(2); new files get the usual permissions. Check `is_open`; errno is set.
  Descriptor(const std::filesystem::path& path, int flags);
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

}  // namespace rlt
