#include "io/descriptor.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <system_error>
#include <thread>
#include <utility>

#include "base/error.hpp"

namespace rlt {

namespace {

namespace fs = std::filesystem;

bool can_write(int number) {
  const int flags = ::fcntl(number, F_GETFL);
  return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
}

/// The descriptor that `path` is a fixed name of.
std::optional<int> standard_number(const fs::path& path) {
  for (const char* name : {"/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}) {
    if (path == name) return STDOUT_FILENO;
  }
  for (const char* name : {"/dev/stderr", "/dev/fd/2", "/proc/self/fd/2"}) {
    if (path == name) return STDERR_FILENO;
  }
  return std::nullopt;
}

/// A duplicate shares the position: opened anew, a file would be written over from its start.
int duplicate(int number) {
  if (number == STDOUT_FILENO && std::fflush(stdout) != 0) fail_stdout(errno);
  const int made = can_write(number) ? ::fcntl(number, F_DUPFD_CLOEXEC, 0) : -1;
  if (made >= 0) return made;
  const int code = can_write(number) ? errno : EBADF;
  if (number == STDOUT_FILENO) fail_stdout(code);
  fail_system("write", "stderr", code);
}

}  // namespace

void fail_system(const char* action, const fs::path& path, int code) {
  fail(Exit::failed, "cannot {} '{}': {}", action, path.string(),
       std::generic_category().message(code));
}

void fail_stdout(int code) {
  if (code == EBADF) fail(Exit::failed, "stdout is closed");
  fail_system("write", "stdout", code);
}

Descriptor::Descriptor(const fs::path& path, int flags) {
  constexpr mode_t everyone = 0666;  // less the umask
  do {
    number_ = ::open(path.c_str(), flags | O_CLOEXEC, everyone);
  } while (number_ < 0 && errno == EINTR);
}

Descriptor Descriptor::standard_output() {
  Descriptor made;
  made.number_ = duplicate(STDOUT_FILENO);
  return made;
}

std::optional<Descriptor> Descriptor::stream(const fs::path& path) {
  Descriptor made;
  if (const std::optional<int> number = standard_number(path)) {
    made.number_ = duplicate(*number);
    return made;
  }
  struct stat wanted {};
  if (::stat(path.c_str(), &wanted) != 0 || S_ISDIR(wanted.st_mode)) return std::nullopt;
  for (const int standard : {STDOUT_FILENO, STDERR_FILENO}) {
    struct stat open {};
    const bool known = can_write(standard) && ::fstat(standard, &open) == 0;
    if (!known || open.st_dev != wanted.st_dev || open.st_ino != wanted.st_ino) continue;
    made.number_ = duplicate(standard);
    return made;
  }
  if (S_ISREG(wanted.st_mode)) return std::nullopt;
  made = Descriptor(path, O_WRONLY);
  if (!made.is_open()) fail_system("write", path, errno);
  return made;
}

Descriptor::Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    close();
    number_ = std::exchange(other.number_, -1);
  }
  return *this;
}

int Descriptor::write(std::span<const std::byte> bytes) {
  constexpr std::size_t largest = std::size_t{1} << 30;  // systems refuse 2 GiB at once
  while (!bytes.empty()) {
    const ssize_t written = ::write(number_, bytes.data(), std::min(bytes.size(), largest));
    if (written < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    if (written == 0) return ENOSPC;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return 0;
}

int Descriptor::flush() {
  if (::fsync(number_) == 0 || errno == EINVAL || errno == ENOTSUP || errno == EROFS) return 0;
  return errno;
}

int Descriptor::close() {
  if (number_ < 0) return 0;
  // The number is free even after EINTR: never close twice.
  const bool closed = ::close(std::exchange(number_, -1)) == 0;
  return closed || errno == EINTR ? 0 : errno;
}

FileLock::FileLock(const Descriptor& file, const fs::path& path) : number_(file.number()) {
  constexpr std::chrono::milliseconds nap(10);
  constexpr std::chrono::seconds longest(60);
  for (std::chrono::milliseconds waited(0); ::flock(number_, LOCK_EX | LOCK_NB) != 0;) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return;
    if (waited >= longest) {
      fail(Exit::failed,
           "cannot write '{}': another program keeps it locked (flock), for {} seconds now",
           path.string(), longest.count());
    }
    std::this_thread::sleep_for(nap);
    waited += nap;
  }
}

FileLock::~FileLock() { ::flock(number_, LOCK_UN); }

}  // namespace rlt
