#include "io/standard_streams.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>

#include "base/utf8.hpp"
#include "io/descriptor.hpp"

namespace rlt {

void prepare_standard_streams() {
  for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(number, F_GETFD) >= 0) continue;
    // open(2) takes the lowest free number: this one. Without /dev (chroot) a folder will do.
    const int useless = number == STDIN_FILENO ? O_WRONLY : O_RDONLY;
    if (::open("/dev/null", useless) < 0) ::open("/", O_RDONLY);
  }
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

void close_stdout() {
  if (std::ferror(stdout) != 0) fail_stdout(EIO);
  if (std::fclose(stdout) != 0) fail_stdout(errno);
}

void write_message(std::string_view text) {
  const std::string line = printable(text) + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace rlt
