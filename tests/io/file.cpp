#include "io/file.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <iterator>
#include <span>
#include <string>
#include <utility>

#include "io/full_disk.hpp"
#include "support/message.hpp"
#include "support/temporary_folder.hpp"

using namespace rlt;
using test::error_of;
namespace fs = std::filesystem;

namespace {

auto files_in(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

/// A socket with a name, while it lives.
struct Socket {
  explicit Socket(fs::path name) : path(std::move(name)), number(socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof(address.sun_path) - 1);
    REQUIRE(bind(number, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  }
  ~Socket() { close(number); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  fs::path path;
  int number;
};

}  // namespace

TEST_CASE("file: what was written is read back, every byte value included") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "a b";
  std::string text;
  for (int i = 0; i < 3 * 256; ++i) text += static_cast<char>(i);
  write_file(path, text);
  CHECK(read_file(path) == text);
  write_file(path, "");
  CHECK(read_file(path).empty());
  const std::array<std::byte, 3> bytes = {std::byte{0}, std::byte{255}, std::byte{10}};
  write_file(path, bytes);
  CHECK(read_file(path) == std::string("\0\xff\n", 3));
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("file: a full disk leaves the old file whole and nothing beside it") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "file";
  write_file(path, "old");
  std::string message;
  {
    const test::FullDisk full(1000);
    message = error_of([&] { write_file(path, std::string(5000, 'x')); });
  }
  CHECK(message == "1: cannot write '" + path.string() + "': File too large");
  CHECK(read_file(path) == "old");
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("file: a device is written in place, and a full one is told") {
  if (!fs::is_character_file("/dev/full")) return;
  CHECK(error_of([] { write_file("/dev/full", "text"); }) ==
        "1: cannot write '/dev/full': No space left on device");
  CHECK(fs::is_character_file("/dev/full"));
  CHECK(error_of([] { write_file("/dev/null", "text"); }) == "no error");
  CHECK(fs::is_character_file("/dev/null"));
}

TEST_CASE("file: a path that cannot be written says why") {
  const test::TemporaryFolder folder;
  folder.write("file", "text");
  const std::string base = folder.path().string();
  CHECK(error_of([&] { write_file(folder.path() / "none" / "file", "x"); }) ==
        "1: cannot write '" + base + "/none/file': No such file or directory");
  CHECK(error_of([&] { write_file(folder.path() / "file" / "below", "x"); }) ==
        "1: cannot write '" + base + "/file/below': Not a directory");
  CHECK(error_of([&] { write_file(folder.path(), "x"); }) ==
        "1: cannot write '" + base + "': Is a directory");
  CHECK(
      error_of([&] { write_file("/proc/none", "x"); }).starts_with("1: cannot write '/proc/none'"));
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("file: a link stays a link and permissions stay as they were") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "file";
  write_file(path, "old");
  fs::permissions(path, fs::perms(0640));
  fs::create_symlink("file", folder.path() / "link");
  write_file(folder.path() / "link", "new");
  CHECK(fs::is_symlink(folder.path() / "link"));
  CHECK(read_file(path) == "new");
  CHECK(fs::status(path).permissions() == fs::perms(0640));
}

TEST_CASE("file: links that lead nowhere yet are followed, one after the other, and stay links") {
  const test::TemporaryFolder folder;
  fs::create_directory(folder.path() / "sub");
  fs::create_symlink("sub/second", folder.path() / "first");
  fs::create_symlink("../target", folder.path() / "sub" / "second");
  write_file(folder.path() / "first", "new");
  CHECK(fs::is_symlink(folder.path() / "first"));
  CHECK(fs::is_symlink(folder.path() / "sub" / "second"));
  CHECK(read_file(folder.path() / "target") == "new");
  fs::create_symlink("none/target", folder.path() / "lost");
  CHECK(error_of([&] { write_file(folder.path() / "lost", "x"); }) ==
        "1: cannot write '" + (folder.path() / "lost").string() + "': No such file or directory");
  CHECK(fs::is_symlink(folder.path() / "lost"));
}

TEST_CASE("file: what has the name of the file aside is no way to another file") {
  const test::TemporaryFolder folder;
  folder.write("other", "precious");
  const fs::path path = folder.path() / "file";
  fs::create_symlink("other", path.string() + "." + std::to_string(getpid()) + ".partial");
  write_file(path, "new");
  CHECK(read_file(path) == "new");
  CHECK(!fs::is_symlink(path));
  CHECK(read_file(folder.path() / "other") == "precious");
}

TEST_CASE("file: a loop of links and a name that is too long are told, whatever is asked") {
  const test::TemporaryFolder folder;
  fs::create_symlink("b", folder.path() / "a");
  fs::create_symlink("a", folder.path() / "b");
  for (const auto& [name, reason] :
       {std::pair{std::string("a"), "Too many levels of symbolic links"},
        {std::string(300, 'x'), "File name too long"}}) {
    const fs::path path = folder.path() / name;
    const std::string end = " '" + path.string() + "': " + reason;
    CHECK(error_of([&] { write_file(path, "x"); }) == "1: cannot write" + end);
    CHECK(error_of([&] { read_file(path); }) == "1: cannot read" + end);
    CHECK(error_of([&] { open_regular(path); }) == "1: cannot read" + end);
    CHECK(error_of([&] { file_exists(path); }) == "1: cannot read" + end);
    CHECK(error_of([&] { is_folder(path); }) == "1: cannot read" + end);
    CHECK(error_of([&] {
            make_folder(path / "below");
          }).starts_with("1: cannot make the folder '" + path.string()));
  }
  CHECK(fs::is_symlink(folder.path() / "a"));
}

TEST_CASE("file: what is there is told from what is not") {
  const test::TemporaryFolder folder;
  folder.write("file", "text");
  fs::create_symlink("none", folder.path() / "lost");
  fs::create_symlink(".", folder.path() / "here");
  CHECK(file_exists(folder.path() / "file"));
  CHECK(file_exists(folder.path()));
  CHECK(!file_exists(folder.path() / "lost"));
  CHECK(!file_exists(folder.path() / "file" / "below"));
  CHECK(is_folder(folder.path() / "here"));
  CHECK(!is_folder(folder.path() / "file"));
  CHECK(!is_folder(folder.path() / "none"));
}

TEST_CASE("file: a pipe is written to and stays one; a socket stays one too") {
  const test::TemporaryFolder folder;
  const fs::path pipe = folder.path() / "pipe";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  const int reader = open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  write_file(pipe, "text");
  std::array<char, 8> text{};
  CHECK(read(reader, text.data(), text.size()) == 4);
  close(reader);
  CHECK(fs::is_fifo(pipe));
  const Socket socket(folder.path() / "socket");
  CHECK(error_of([&] {
          write_file(socket.path, "text");
        }).starts_with("1: cannot write '" + socket.path.string()));
  CHECK(fs::is_socket(socket.path));
}

TEST_CASE("file: nothing that has no end is read, and nobody is waited for") {
  const test::TemporaryFolder folder;
  const fs::path pipe = folder.path() / "pipe";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(error_of([&] { read_file(pipe); }) ==
        "1: cannot read '" + pipe.string() + "': a pipe that nobody writes to");
  CHECK(error_of([&] { open_regular(pipe); }) ==
        "1: cannot read '" + pipe.string() + "': it is a pipe, expected a regular file");
  const Socket socket(folder.path() / "socket");
  CHECK(error_of([&] { open_regular(socket.path); }) ==
        "1: cannot read '" + socket.path.string() + "': it is a socket, expected a regular file");
  CHECK(error_of([&] { open_regular("/dev/null"); }) ==
        "1: cannot read '/dev/null': it is a device, expected a regular file");
  CHECK(error_of([&] { read_file("/dev/zero", 1000); }) ==
        "1: cannot read '/dev/zero': it has more than 1000 bytes");
  CHECK(read_file("/dev/null", 1000).empty());
  const fs::path sparse = folder.path() / "sparse";
  folder.write("sparse", "");
  fs::resize_file(sparse, 100'000'000'000);
  CHECK(error_of([&] { read_file(sparse); }) ==
        "1: cannot read '" + sparse.string() + "': it has more than 1073741824 bytes");
  folder.write("just", std::string(1000, 'x'));
  CHECK(read_file(folder.path() / "just", 1000).size() == 1000);
  CHECK(error_of([&] { read_file(folder.path() / "just", 999); }).ends_with("more than 999 bytes"));
}

TEST_CASE("file: what is written into a pipe is read, however slowly it comes") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "pipe";
  REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  const int writer = open(path.c_str(), O_RDWR);  // there, but silent
  // Without it the text is gone when the child ends before the test opens the pipe.
  const int reader = open(path.c_str(), O_RDONLY);
  const pid_t child = fork();
  if (child == 0) {
    // The first read of the test finds nothing yet, or the first half.
    const bool written = write(writer, "one\n", 4) == 4 && write(writer, "two\n", 4) == 4;
    _exit(written ? 0 : 1);
  }
  close(writer);
  CHECK(read_file(path, 100) == "one\ntwo\n");
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  close(reader);
}

TEST_CASE("file: a path that cannot be read says why") {
  const test::TemporaryFolder folder;
  const std::string base = folder.path().string();
  CHECK(error_of([&] { read_file(folder.path() / "none"); }) ==
        "1: cannot read '" + base + "/none': No such file or directory");
  CHECK(error_of([&] { read_file(folder.path()); }) ==
        "1: cannot read '" + base + "': Is a directory");
}

TEST_CASE("file: a folder is made with those above it; a file in its place is told") {
  const test::TemporaryFolder folder;
  make_folder(folder.path() / "a" / "b");
  make_folder(folder.path() / "a" / "b");
  CHECK(fs::is_directory(folder.path() / "a" / "b"));
  folder.write("file", "text");
  CHECK(error_of([&] { make_folder(folder.path() / "file"); }) ==
        "1: cannot make the folder '" + folder.path().string() + "/file': Not a directory");
  CHECK(error_of([&] { make_folder(folder.path() / "file" / "below"); }) ==
        "1: cannot make the folder '" + folder.path().string() + "/file/below': Not a directory");
}
