#include "tasks/events_csv.hpp"

#include <doctest/doctest.h>

#include "tests/support/message.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace rlt;
using test::error_of;

namespace {

struct Table : test::TemporaryFolder {
  explicit Table(const std::string& text) { write("events.csv", text); }
  std::string file() const { return (path() / "events.csv").string(); }
  std::vector<EventSequence> read(Vocabulary& marks, bool adds_marks = true) const {
    return read_events_csv(file(), marks, adds_marks);
  }
};

}  // namespace

TEST_CASE(
    "events csv: columns in any order, sequences with rows apart, marks in order of appearance") {
  const Table table("mark,time,sequence\nx,0,a\ny,0.5,b\nx,1e2,a\n\"z\",0.75,b\r\nx,101,a");
  Vocabulary marks;
  const std::vector<EventSequence> sequences = table.read(marks);
  REQUIRE(sequences.size() == 2);
  CHECK(sequences[0].name == "a");
  CHECK(sequences[0].line == 2);
  REQUIRE(sequences[0].events.size() == 3);
  CHECK(sequences[0].events[1].time == 100);
  CHECK(sequences[0].events[2].time == 101);
  CHECK(sequences[1].name == "b");
  CHECK(sequences[1].events[0].mark == 1);
  CHECK(sequences[1].events[1].mark == 2);
  CHECK(marks.symbols() == std::vector<std::string>{"x", "y", "z"});
}

TEST_CASE("events csv: without a column of marks there is one; blank lines at the end do no harm") {
  const Table table("\xEF\xBB\xBFsequence,time\na,1\na,2\n\n \n");
  Vocabulary marks;
  const std::vector<EventSequence> sequences = table.read(marks);
  CHECK(sequences.at(0).events.at(1).mark == 0);
  CHECK(marks.symbols() == std::vector<std::string>{"event"});
}

TEST_CASE("events csv: the marks of a run keep their numbers, and there are no others") {
  const Table table("sequence,time,mark\na,1,y\na,2,x\n");
  Vocabulary known({"x", "y"});
  CHECK(table.read(known, false).at(0).events.at(0).mark == 1);
  Vocabulary fewer({"y"});
  CHECK(error_of([&] { table.read(fewer, false); }) ==
        "1: " + table.file() + ":3: column 'mark': 'x' is not among the symbols of the run");
}

TEST_CASE("events csv: errors name file, line and column") {
  const auto broken = [](const std::string& text, const std::string& message) {
    const Table table(text);
    Vocabulary marks;
    CHECK(error_of([&] { table.read(marks); }) == "1: " + table.file() + message);
  };
  const auto bad_time = [&](const std::string& time, const std::string& message) {
    broken("time,sequence\n1,a\n" + time + ",a\n3,a\n", ":3: column 'time': " + message);
  };
  bad_time("two", "'two' is no finite number");
  bad_time("nan", "'nan' is no finite number");
  bad_time("inf", "'inf' is no finite number");
  bad_time(" 2", "' 2' is no finite number");
  bad_time("", "empty");
  bad_time("-2", "-2 is negative");
  bad_time("0.5", "0.5 after 1 in sequence 'a': times must rise");
  bad_time("1", "1 once more in sequence 'a': times must differ");
  broken("sequence,time\na,1\nb,1\nb,2\n",
         ":2: column 'sequence': 'a' has one event, which leaves nothing to foretell");
  broken("sequence,time\na,1\n,2\n", ":3: column 'sequence': empty");
  broken("sequence,time,mark\na,1,x\na,2,\n", ":3: column 'mark': empty");
  broken("sequence,time,mark\na,1,x y\na,2,x\n", ":2: column 'mark': 'x y' holds white space");
  broken("sequence,time,kind\na,1,x\na,2,x\n",
         ":1: unknown column 'kind'; the columns are sequence, time, mark");
  broken("sequence,time,time\na,1,2\n", ":1: column 'time' stands there twice");
  broken("sequence,mark\na,x\n", ":1: column 'time' is missing");
  broken("time\n1\n", ":1: column 'sequence' is missing");
  broken("sequence,time\na,1\na,2,x\n", ":3: 3 cells for 2 columns");
  broken("sequence,time\na,1\n\na,2\n", ":3: blank line");
  broken("sequence,time\n", ": holds no event");
  broken("", ": holds no event");
}

TEST_CASE("events csv: a file in another encoding is named with its line") {
  const Table table("sequence,time\na,1\n\xE9,2\n");
  Vocabulary marks;
  CHECK(error_of([&] { table.read(marks); }).starts_with("1: " + table.file() + ":3: byte 0xe9"));
}
