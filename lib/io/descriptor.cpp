#include "io/descriptor.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include "base/error.hpp"

namespace rlt {

void fail_system(const char* action, const std::filesystem::path& path, int code) {
  fail(Exit::failed, "cannot {} '{}': {}", action, path.string(),
       std::generic_category().message(code));
}

Descriptor::Descriptor(const std::filesystem::path& path, int flags) {
  constexpr mode_t everyone = 0666;  // less the umask
  do {
    number_ = ::open(path.c_str(), flags | O_CLOEXEC, everyone);
  } while (number_ < 0 && errno == EINTR);
}

std::optional<Descriptor> Descriptor::stream(const std::filesystem::path& path) {
  struct stat wanted {};
  if (::stat(path.c_str(), &wanted) != 0 || S_ISDIR(wanted.st_mode)) return std::nullopt;
  for (const int standard : {STDOUT_FILENO, STDERR_FILENO}) {
    struct stat open {};
    const bool known = ::fstat(standard, &open) == 0;
    if (!known || open.st_dev != wanted.st_dev || open.st_ino != wanted.st_ino) continue;
    // A duplicate shares the position: opened anew, the file would be written over from its start.
    if (standard == STDOUT_FILENO) std::fflush(stdout);
    Descriptor duplicate;
    duplicate.number_ = ::fcntl(standard, F_DUPFD_CLOEXEC, 0);
    if (!duplicate.is_open()) fail_system("write", path, errno);
    return duplicate;
  }
  if (S_ISREG(wanted.st_mode)) return std::nullopt;
  Descriptor opened(path, O_WRONLY);
  if (!opened.is_open()) fail_system("write", path, errno);
  return opened;
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

}  // namespace rlt
