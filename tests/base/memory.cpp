#include "base/memory.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <limits>

#include "tests/support/message.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace rlt;

namespace {

constexpr std::size_t mebi = std::size_t{1} << 20;

/// A root of the file system with as much of /proc and /sys as a test writes.
class System {
 public:
  void write(const std::filesystem::path& file, const std::string& text) {
    std::filesystem::create_directories((folder_.path() / file).parent_path());
    folder_.write(file, text);
  }
  MemoryLeft left() const { return memory_left(folder_.path()); }

 private:
  test::TemporaryFolder folder_;
};

}  // namespace

TEST_CASE("memory: what the machine has free is the limit where there is no other") {
  System system;
  CHECK(system.left().bytes == std::numeric_limits<std::size_t>::max());
  system.write("proc/meminfo",
               "MemTotal:  4096 kB\nMemFree:  10 kB\nMemAvailable:    2048 kB\nBuffers: 7 kB\n");
  CHECK(system.left().bytes == 2 * mebi);
  CHECK(system.left().where == "on this machine");
}

TEST_CASE("memory: a control group leaves its limit without what it uses, page cache aside") {
  System system;
  system.write("proc/meminfo", "MemAvailable: 1000000 kB\n");
  system.write("proc/self/cgroup", "0::/jobs/one\n");
  system.write("sys/fs/cgroup/jobs/one/memory.max", "max\n");
  system.write("sys/fs/cgroup/jobs/one/memory.current", "5000000\n");
  CHECK(system.left().bytes == 1000000 * std::size_t{1024});
  system.write("sys/fs/cgroup/jobs/memory.max", "7000000\n");  // the group above
  system.write("sys/fs/cgroup/jobs/memory.current", "5000000\n");
  CHECK(system.left().bytes == 2000000);
  system.write("sys/fs/cgroup/jobs/memory.stat", "anon 3\ninactive_file 1000000\nslab 4\n");
  CHECK(system.left().bytes == 3000000);
  CHECK(system.left().where == "under the limit of the control group");
  system.write("sys/fs/cgroup/jobs/one/memory.max", "4000000\n");  // used up
  CHECK(system.left().bytes == 0);
}

TEST_CASE("memory: control groups of version 1 count too") {
  System system;
  system.write("proc/self/cgroup", "5:cpu,cpuacct:/a\n4:memory:/a\n");
  system.write("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "9000000\n");
  system.write("sys/fs/cgroup/memory/a/memory.usage_in_bytes", "1000000\n");
  CHECK(system.left().bytes == 8000000);
}

TEST_CASE("memory: the limit of the address space counts from what the process has") {
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_AS, &before) == 0);
  System system;
  system.write("proc/self/statm", "1024 5 6 7 0 8 0\n");
  const auto own = static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) * 1024;
  rlimit limited = before;
  limited.rlim_cur = std::min<rlim_t>(before.rlim_max, rlim_t{1} << 46);  // nobody's harm
  REQUIRE(setrlimit(RLIMIT_AS, &limited) == 0);
  const MemoryLeft left = system.left();
  REQUIRE(setrlimit(RLIMIT_AS, &before) == 0);
  CHECK(left.bytes == limited.rlim_cur - own);
  CHECK(left.where == "of the address space (ulimit -v)");
}

TEST_CASE("memory: an error says what is needed, what is left, and what makes it smaller") {
  const MemoryLeft left{300 * mebi, "on this machine"};
  CHECK(
      test::error_of([&] { require_memory(5 * 1024 * mebi, "the model", "--ff", left); }) ==
      "1: the model: 5.0 GiB of memory needed, 300.0 MiB left on this machine; make --ff smaller");
  CHECK(test::error_of([&] { require_memory(300 * mebi, "the model", "--ff", left); }) ==
        "no error");
  CHECK(memory_left().bytes > mebi);
}
