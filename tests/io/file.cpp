#include "io/file.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <array>
#include <cstddef>
#include <iterator>
#include <span>

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
