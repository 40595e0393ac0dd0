#include "io/folder_lock.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include "support/message.hpp"
#include "support/temporary_folder.hpp"

using namespace rlt;
namespace fs = std::filesystem;

TEST_CASE("folder lock: one may change a folder, or many may add to it") {
  const test::TemporaryFolder folder;
  {
    const auto one = FolderLock::exclusive(folder.path());
    REQUIRE(one);
    CHECK_FALSE(FolderLock::exclusive(folder.path()));
    CHECK_FALSE(FolderLock::shared(folder.path()));
    CHECK(lock_holder(folder.path()) == getpid());
  }
  CHECK_FALSE(lock_holder(folder.path()));
  const auto one = FolderLock::shared(folder.path());
  const auto two = FolderLock::shared(folder.path());
  CHECK(one);
  CHECK(two);
  CHECK_FALSE(FolderLock::exclusive(folder.path()));
}

TEST_CASE("folder lock: folders are made, and go with the lock while they are empty") {
  const test::TemporaryFolder folder;
  const fs::path deep = folder.path() / "a" / "b" / "c";
  { CHECK(FolderLock::exclusive(deep)); }
  CHECK_FALSE(fs::exists(folder.path() / "a"));
  {
    const auto lock = FolderLock::exclusive(deep);
    folder.write("a/b/used", "");
  }
  CHECK_FALSE(fs::exists(deep));
  CHECK(fs::exists(folder.path() / "a" / "b" / "used"));
  { CHECK(FolderLock::exclusive(folder.path() / "a" / "b")); }
  CHECK(fs::exists(folder.path() / "a" / "b"));  // was there before
}

TEST_CASE("folder lock: who is refused leaves the folder to who holds it") {
  const test::TemporaryFolder folder;
  const fs::path run = folder.path() / "run";
  const auto held = FolderLock::exclusive(run);
  { CHECK_FALSE(FolderLock::exclusive(run)); }
  CHECK(fs::exists(run));
}

TEST_CASE("folder lock: a file, and what is not there, are told") {
  const test::TemporaryFolder folder;
  folder.write("file", "");
  const std::string file = (folder.path() / "file").string();
  CHECK(test::error_of([&] { FolderLock::exclusive(file); }) ==
        "1: cannot make the folder '" + file + "': Not a directory");
  fs::create_symlink("circle", folder.path() / "circle");
  CHECK(test::error_of([&] {
          FolderLock::exclusive(folder.path() / "circle" / "run");
        }).ends_with("circle/run': Too many levels of symbolic links"));
  CHECK(test::error_of([&] {
          FolderLock::shared(folder.path() / "none");
        }).ends_with("none': No such file or directory"));
}
