#include "io/csv.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <limits>
#include <set>
#include <sstream>

#include "base/rng.hpp"
#include "io/file.hpp"
#include "io/full_disk.hpp"
#include "support/message.hpp"
#include "support/temporary_folder.hpp"

using namespace rlt;
using test::error_of;
namespace fs = std::filesystem;

namespace {

const std::vector<std::string> columns = {"task", "step", "loss"};

CsvFile::Keep up_to(Index last) {
  return [last](Index step) { return step <= last; };
}

}  // namespace

TEST_CASE("csv: header, numbers, empty cells and nan") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "table.csv";
  {
    CsvFile csv = CsvFile::open(path, columns);
    csv.append({"parity", 1, 0.5});
    csv.append({std::string("parity"), Index{2}, {}});
    csv.append({"parity", 3, std::nan("")});
    csv.append({"parity", 4, -std::numeric_limits<double>::infinity()});
    csv.append({"parity", 5, 0.1f});
    csv.append({"parity", 6, 3.0});
  }
  CHECK(read_file(path) ==
        "task,step,loss\nparity,1,0.5\nparity,2,\nparity,3,nan\nparity,4,-inf\nparity,5,0.1\n"
        "parity,6,3\n");
}

TEST_CASE("csv: doubles read back to the same bits") {
  const Rng rng(1);
  for (Index i = 0; i < 20000; ++i) {
    const std::uint64_t bits = rng.bits(i);
    double number = 0;
    std::memcpy(&number, &bits, sizeof(number));
    if (!std::isnormal(number)) continue;
    const std::string text = CsvCell(number).text();
    double back = 0;
    std::from_chars(text.data(), text.data() + text.size(), back);
    CHECK(back == number);
  }
}

TEST_CASE("csv: cells are quoted where they must be, and read back when the file is cut") {
  CHECK(CsvCell("plain text").text() == "plain text");
  CHECK(CsvCell("a,b").text() == "\"a,b\"");
  CHECK(CsvCell("say \"x\"").text() == "\"say \"\"x\"\"\"");
  CHECK(CsvCell("two\nlines").text() == "\"two\nlines\"");
  CHECK(CsvCell(" outer").text() == "\" outer\"");
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "table.csv";
  const std::vector<std::string> odd = {"a,\"b\"\nc", "step", "\""};
  {
    CsvFile csv = CsvFile::open(path, odd);
    csv.append({"x,\n\"\",", 1, "\"\""});
    csv.append({"", 2, "\r\n"});
    csv.append({"y", 3, ""});
  }
  const std::string whole = read_file(path);
  CsvFile::open(path, odd, up_to(3));
  CHECK(read_file(path) == whole);
  CsvFile::open(path, odd, up_to(2));
  CHECK(read_file(path) == whole.substr(0, whole.size() - 5));
}

TEST_CASE("csv: opened again it goes on, and a torn last line is dropped") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "table.csv";
  for (const std::string torn :
       {"", "par", "parity,2", "parity,\"2", "parity,2,\"0.2", "\"", ","}) {
    CAPTURE(torn);
    folder.write("table.csv", "task,step,loss\nparity,1,0.5\n" + torn);
    CsvFile::open(path, columns).append({"parity", 2, 0.25});
    CHECK(read_file(path) == "task,step,loss\nparity,1,0.5\nparity,2,0.25\n");
  }
  for (const std::string torn : {"", "tas", "task,step,loss"}) {
    CAPTURE(torn);
    folder.write("table.csv", torn);
    CsvFile::open(path, columns);
    CHECK(read_file(path) == "task,step,loss\n");
  }
}

TEST_CASE("csv: a last row that only lacks its line break is whole") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "table.csv";
  for (const std::string last : {"parity,2,0.2", "parity,2,", "\"a\nb\",2,\"\""}) {
    for (const CsvFile::Keep& keep : {CsvFile::Keep(), up_to(2)}) {
      CAPTURE(last);
      folder.write("table.csv", "task,step,loss\nparity,1,0.5\n" + last);
      CsvFile::open(path, columns, keep).append({"parity", 3, 0.25});
      CHECK(read_file(path) == "task,step,loss\nparity,1,0.5\n" + last + "\nparity,3,0.25\n");
    }
  }
  folder.write("table.csv", "task,step,loss\nparity,1,0.5,7");
  CHECK(error_of([&] { CsvFile::open(path, columns); }) ==
        "1: '" + path.string() + "', line 2: 4 cells, expected 3");
}

TEST_CASE("csv: several processes begin and fill one file; it has one header and every row") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "table.csv";
  constexpr int processes = 8;
  constexpr int rows = 10;
  int start[2];
  REQUIRE(pipe(start) == 0);
  std::vector<pid_t> children;
  for (int process = 0; process < processes; ++process) {
    const pid_t child = fork();
    if (child == 0) {
      close(start[1]);
      char nothing = 0;
      const bool closed = read(start[0], &nothing, 1) == 0;  // all begin together
      const std::string message = error_of([&] {
        CsvFile csv = CsvFile::open(path, columns);
        for (int row = 0; row < rows; ++row) {
          csv.append({"process", process, row});
          csv.flush();
        }
      });
      _exit(closed && message == "no error" ? 0 : 1);
    }
    children.push_back(child);
  }
  close(start[0]);
  close(start[1]);
  for (const pid_t child : children) {
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  std::istringstream text(read_file(path));
  std::string header;
  std::getline(text, header);
  CHECK(header == "task,step,loss");
  std::set<std::string> found;
  for (std::string line; std::getline(text, line);) CHECK(found.insert(line).second);
  CHECK(found.size() == processes * rows);
}

TEST_CASE("csv: whoever writes next removes the torn row of a killed writer") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "table.csv";
  CsvFile csv = CsvFile::open(path, columns);
  CsvFile::open(path, columns).append({"other", 1, 1});
  std::ofstream(path, std::ios::app) << "killed,2";
  csv.append({"x", 3, 3});
  csv.flush();
  CHECK(read_file(path) == "task,step,loss\nother,1,1\nx,3,3\n");
}

TEST_CASE("csv: rows follow the name when another program replaces, empties or removes the file") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "table.csv";
  CsvFile csv = CsvFile::open(path, columns);
  const auto next = [&](int step) {
    csv.append({"x", step, 0});
    csv.flush();
    return read_file(path);
  };
  folder.write("edited.csv", "task,step,loss\ny,1,1");
  fs::rename(folder.path() / "edited.csv", path);
  CHECK(next(2) == "task,step,loss\ny,1,1\nx,2,0\n");
  folder.write("table.csv", "");
  CHECK(next(3) == "task,step,loss\nx,3,0\n");
  fs::remove(path);
  CHECK(next(4) == "task,step,loss\nx,4,0\n");
  fs::remove(path);
  folder.write("other.csv", "a,b\n1,2\n");
  fs::rename(folder.path() / "other.csv", path);
  csv.append({"x", 5, 0});
  CHECK(error_of([&] { csv.flush(); }) ==
        "1: '" + path.string() + "' has the columns 'a,b', expected 'task,step,loss'");
  CHECK(read_file(path) == "a,b\n1,2\n");
}

TEST_CASE("csv: a link stays a link, also one to a file that is made only now") {
  const test::TemporaryFolder folder;
  const fs::path link = folder.path() / "link.csv";
  fs::create_symlink("later.csv", link);
  for (const CsvFile::Keep& keep : {CsvFile::Keep(), up_to(2)}) {
    fs::remove(folder.path() / "later.csv");
    CsvFile::open(link, columns, keep).append({"x", 1, 2});
    CHECK(fs::is_symlink(link));
    CHECK(read_file(folder.path() / "later.csv") == "task,step,loss\nx,1,2\n");
  }
}

TEST_CASE("csv: rows are cut aside: the old file stays whole until the new one takes its name") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "table.csv";
  const std::string whole = "task,step,loss\nx,1,1\nx,2,2\n";
  folder.write("table.csv", whole);
  fs::create_hard_link(path, folder.path() / "old.csv");
  CsvFile::open(path, columns, up_to(1));
  CHECK(read_file(path) == "task,step,loss\nx,1,1\n");
  CHECK(read_file(folder.path() / "old.csv") == whole);
}

TEST_CASE("csv: a byte-order mark before the header is no column") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "table.csv";
  folder.write("table.csv", "\xEF\xBB\xBFtask,step,loss\r\nx,1,1\r\n");
  CsvFile::open(path, columns).append({"x", 2, 2});
  CHECK(read_file(path) == "\xEF\xBB\xBFtask,step,loss\r\nx,1,1\r\nx,2,2\n");
}

TEST_CASE("csv: a huge file that is no table is refused after its first megabyte") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "table.csv";
  for (const std::string begin : {"", "task,step,loss\n"}) {
    folder.write("table.csv", begin);
    fs::resize_file(path, 100'000'000'000);
    CHECK(error_of([&] { CsvFile::open(path, columns); }) ==
          "1: '" + path.string() + "', line " + (begin.empty() ? "1" : "2") +
              ": longer than 1048576 bytes: this is no table");
    CHECK(fs::file_size(path) == 100'000'000'000);
  }
}

TEST_CASE("csv: a resumed run cuts the rows after its checkpoint") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "table.csv";
  folder.write("table.csv", "task,step,loss\r\nx,10,1\r\nx,20,2\nx,30,3\nx,20,4\n");
  CsvFile::open(path, columns, up_to(20)).append({"x", 25, 5});
  CHECK(read_file(path) == "task,step,loss\r\nx,10,1\r\nx,20,2\nx,20,4\nx,25,5\n");
  CsvFile::open(path, columns, [](Index) { return false; });
  CHECK(read_file(path) == "task,step,loss\r\n");
}

TEST_CASE("csv: a file that is another table is left alone") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "table.csv";
  const std::string name = "'" + path.string() + "'";
  const auto opened = [&](const std::string& text) {
    folder.write("table.csv", text);
    const std::string message = error_of([&] { CsvFile::open(path, columns, up_to(5)); });
    CHECK(read_file(path) == text);
    return message;
  };
  CHECK(opened("task,step\nx,1\n") ==
        "1: " + name + " has the columns 'task,step', expected 'task,step,loss'");
  CHECK(opened("my only copy of a poem") ==
        "1: " + name + " has the columns 'my only copy of a poem', expected 'task,step,loss'");
  CHECK(opened("task,step,loss\nx,1,1\nx,2\nx,3,1\n") ==
        "1: " + name + ", line 3: 2 cells, expected 3");
  CHECK(opened("task,step,loss\nx,one,1\n") ==
        "1: " + name + ", line 2: step is 'one', expected an integer");
  CHECK(opened("task,step,loss\n\"x\ny\",1,1\n\"x,2,1\nx,3,1\n") ==
        "1: " + name + ", line 4: a quote is never closed");
}

TEST_CASE("csv: a full disk leaves whole rows, and the rest is written once there is room") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "table.csv";
  CsvFile csv = CsvFile::open(path, columns);
  csv.append({"x", 1, 0.5});
  csv.flush();
  csv.append({"x", 2, 0.25});
  csv.append({std::string(100, 'y'), 3, 0.125});
  {
    const test::FullDisk full(40);
    CHECK(error_of([&] { csv.flush(); }) ==
          "1: cannot write '" + path.string() + "': File too large");
    CHECK(read_file(path) == "task,step,loss\nx,1,0.5\n");
  }
  csv.flush();
  CHECK(read_file(path) ==
        "task,step,loss\nx,1,0.5\nx,2,0.25\n" + std::string(100, 'y') + ",3,0.125\n");
}

TEST_CASE("csv: a device gets the header and the rows") {
  if (!fs::is_character_file("/dev/full")) return;
  CHECK(error_of([] { CsvFile::open("/dev/full", columns); }) ==
        "1: cannot write '/dev/full': No space left on device");
  CHECK(error_of([] { CsvFile::open("/dev/null", columns).append({"x", 1, 2}); }) == "no error");
}

TEST_CASE("csv: rows for stdout arrive in the file that it goes to, in order, whatever its name") {
  const test::TemporaryFolder folder;
  const std::string path = (folder.path() / "out").string();
  std::fflush(stdout);
  const int terminal = dup(STDOUT_FILENO);
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  dup2(file, STDOUT_FILENO);
  std::printf("before\n");
  const std::string message = error_of([] {
    CsvFile csv = CsvFile::open("/dev/stdout", columns);
    csv.append({"x", 1, 0.5});
    csv.flush();
    std::printf("between\n");
    write_file("/dev/stdout", "a whole file\n");
    std::printf("after\n");
    CsvFile::standard_output(columns).append({"x", 2, 0.25});
    CsvFile::open("/dev/fd/1", columns).append({"x", 3, 0.125});
  });
  std::fflush(stdout);
  dup2(terminal, STDOUT_FILENO);
  close(terminal);
  close(file);
  CHECK(message == "no error");
  CHECK(read_file(path) ==
        "before\ntask,step,loss\nx,1,0.5\nbetween\na whole file\nafter\n"
        "task,step,loss\nx,2,0.25\ntask,step,loss\nx,3,0.125\n");
}

TEST_CASE("csv: a missing folder is told, and a row of another width is a bug") {
  const test::TemporaryFolder folder;
  const std::string base = folder.path().string();
  CHECK(error_of([&] { CsvFile::open(folder.path() / "none" / "t.csv", columns); }) ==
        "1: cannot write '" + base + "/none/t.csv': No such file or directory");
  CHECK(error_of([&] {
          CsvFile::open(folder.path() / "t.csv", columns).append({"x", 1});
        }) == "1: internal error: a row of 2 cells for the 3 columns of '" + base + "/t.csv'");
}
