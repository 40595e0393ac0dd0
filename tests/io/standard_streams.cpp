#include "io/standard_streams.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "io/csv.hpp"
#include "io/file.hpp"
#include "support/message.hpp"
#include "support/temporary_folder.hpp"

using namespace rlt;
using test::error_of;

namespace {

/// Puts a descriptor and the handling of signals back as they were.
class Restored {
 public:
  explicit Restored(int number) : number_(number) {
    std::fflush(nullptr);
    kept_ = dup(number);
    pipe_ = std::signal(SIGPIPE, SIG_DFL);
    size_ = std::signal(SIGXFSZ, SIG_DFL);
  }
  ~Restored() {
    std::fflush(nullptr);
    dup2(kept_, number_);
    close(kept_);
    std::signal(SIGPIPE, pipe_);
    std::signal(SIGXFSZ, size_);
  }
  Restored(const Restored&) = delete;
  Restored& operator=(const Restored&) = delete;

 private:
  int number_;
  int kept_ = -1;
  void (*pipe_)(int) = nullptr;
  void (*size_)(int) = nullptr;
};

}  // namespace

TEST_CASE("standard streams: no file gets the number of one that was closed") {
  for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    CAPTURE(number);
    int opened = -1;
    char byte = 'x';
    bool read_or_written = true;
    {
      const Restored restored(number);
      close(number);
      prepare_standard_streams();
      opened = open("/dev/null", O_RDONLY);
      read_or_written =
          number == STDIN_FILENO ? read(number, &byte, 1) >= 0 : write(number, &byte, 1) >= 0;
      close(opened);
    }
    CHECK(opened > STDERR_FILENO);
    CHECK(!read_or_written);
  }
}

TEST_CASE("standard streams: results for a closed stdout are an error under each of its names") {
  std::vector<std::string> messages;
  {
    const Restored restored(STDOUT_FILENO);
    close(STDOUT_FILENO);
    prepare_standard_streams();
    messages.push_back(error_of([] { CsvFile::standard_output({"a"}); }));
    messages.push_back(error_of([] { CsvFile::open("/dev/stdout", {"a"}); }));
    messages.push_back(error_of([] { write_file("/dev/fd/1", "text"); }));
    messages.push_back(error_of([] { write_file("/dev/null", "text"); }));
  }
  CHECK(messages == std::vector<std::string>{"1: stdout is closed", "1: stdout is closed",
                                             "1: stdout is closed", "no error"});
}

TEST_CASE("standard streams: a reader that went away is an error of stdout, and none of stderr") {
  std::string result;
  std::string message;
  {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    close(ends[0]);
    const Restored out(STDOUT_FILENO);
    const Restored err(STDERR_FILENO);
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    prepare_standard_streams();
    result = error_of([] { CsvFile::standard_output({"a"}); });
    message = error_of([] { print_message("nobody reads {}", "this"); });
  }
  CHECK(result == "1: cannot write 'stdout': Broken pipe");
  CHECK(message == "no error");
}

TEST_CASE("standard streams: a message is one line that any terminal shows") {
  const test::TemporaryFolder folder;
  const std::string path = (folder.path() / "messages").string();
  {
    const Restored restored(STDERR_FILENO);
    const int file = open(path.c_str(), O_WRONLY | O_CREAT, 0600);
    dup2(file, STDERR_FILENO);
    close(file);
    print_message("cannot read '{}'", "a\nb\x1b[2J\xff");
  }
  CHECK(read_file(path) == "cannot read 'a\\nb\\u001b[2J\\xff'\n");
}
