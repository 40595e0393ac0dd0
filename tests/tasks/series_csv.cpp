#include "tasks/series_csv.hpp"

#include <doctest/doctest.h>

#include "tests/support/message.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace rlt;
using test::error_of;

namespace {

struct File : test::TemporaryFolder {
  explicit File(const std::string& text) { write("s.csv", text); }
  std::string path() const { return (TemporaryFolder::path() / "s.csv").string(); }
  SeriesTable read(Missing missing = Missing::error) const { return read_series(path(), missing); }
  /// Without the file's name.
  std::string error(Missing missing = Missing::error) const {
    std::string text = error_of([&] { read(missing); });
    if (const std::size_t at = text.find(path()); at != std::string::npos) {
      text.erase(at, path().size());
    }
    return text;
  }
};

std::string error(const std::string& text, Missing missing = Missing::error) {
  return File(text).error(missing);
}

std::string date_error(const std::string& date) {
  return error("date,a\n2019-01-01,1\n" + date + ",2\n");
}

}  // namespace

TEST_CASE("series csv: the form of the ETT files") {
  const SeriesTable table = File(
                                "date,HUFL,OT\n2016-07-01 00:00:00,5.827000141143799,30.5\n"
                                "2016-07-01 01:00:00,-1,2.5e-1\n")
                                .read();
  CHECK(table.channels == std::vector<std::string>{"HUFL", "OT"});
  CHECK(table.rows == 2);
  CHECK(table.values == std::vector<double>{5.827000141143799, 30.5, -1, 0.25});
}

TEST_CASE(
    "series csv: quotes, blanks, CR LF, a byte-order mark, no last line break, blank last lines") {
  const std::vector<double> values = {1, 2, 3, 4};
  CHECK(File("\xEF\xBB\xBF"
             "date,\"p (mbar)\",b\r\n1, 1 ,2\r\n2,3,4")
            .read()
            .values == values);
  const SeriesTable table = File("date,\"p, q\",b\n1,1,2\n2,\"3\",4\n\n \n").read();
  CHECK(table.values == values);
  CHECK(table.channels[0] == "p, q");
}

TEST_CASE("series csv: dates in their forms, a step that changes is accepted") {
  for (const char* dates : {"1 2 4", "-0.5 0 1e3", "2019-12-31 2020-01-01 2020-02-29",
                            "2019-12-31T23:59 2020-01-01T00:00:00 2020-01-01T00:00:00.25"}) {
    std::string text = "date,a\n";
    for (const char* c = dates; *c != 0; ++c) {
      if (c == dates || c[-1] == ' ') text += text.ends_with("\n") ? "" : ",7\n";
      if (*c != ' ') text += *c;
    }
    CAPTURE(text);
    CHECK(File(text + ",7\n").read().rows == 3);
  }
}

TEST_CASE("series csv: dates that are none, repeated or out of order name line and column") {
  const std::string neither = "is neither YYYY-MM-DD HH:MM:SS, with less or no time, nor a number";
  for (const char* date :
       {"", "x", "2019-02-29", "2019-13-01", "2019-1-01", "01/02/2019", "2019-01-02 24:00",
        "2019-01-02 10", "2019-01-02 10:60", "2019-01-02 10:00:60", "2019-01-02 10:00:00.",
        "2019-01-02 10:00:00.x", "2019-01-02_10:00"}) {
    CAPTURE(date);
    CHECK(date_error(date) == "1: :3: column 1 (date): '" + std::string(date) + "' " + neither);
  }
  CHECK(date_error("2019-01-01 00:00") ==
        "1: :3: column 1 (date): '2019-01-01 00:00' is the date of the row before");
  CHECK(date_error("2018-12-31") ==
        "1: :3: column 1 (date): '2018-12-31' is before the row before");
  CHECK(date_error("3") == "1: :3: column 1 (date): '3' is a plain number, dates before are not");
  CHECK(error("date,a\n3,1\n2019-01-01,1\n") ==
        "1: :3: column 1 (date): '2019-01-01' is a date, dates before are not");
}

TEST_CASE("series csv: what is not a number names line and column") {
  CHECK(error("date,a,b\n1,2,3\n2,4,x\n") == "1: :3: column 3 (b): 'x' is not a number");
  CHECK(error("date,a,b\n1,0x2,3\n2,4,4\n") == "1: :2: column 2 (a): '0x2' is not a number");
  CHECK(error("date,a,b\n1,inf,3\n2,4,4\n") == "1: :2: column 2 (a): 'inf' is not a number");
  CHECK(error("date,a,b\n1,1e39,3\n2,4,4\n") == "1: :2: column 2 (a): '1e39' is too large");
}

TEST_CASE("series csv: missing values are errors, or the last value of their channel") {
  const std::string advice = ": give a value, or --task-option missing=forward";
  CHECK(error("date,a,b\n1,2,3\n2,,NaN\n") == "1: :3: column 2 (a): empty" + advice);
  CHECK(error("date,a,b\n1,2,3\n2,1,NaN\n") == "1: :3: column 3 (b): 'NaN'" + advice);
  CHECK(File("date,a,b\n1,2,3\n2, ,5\n3,NA,null\n").read(Missing::forward).values ==
        std::vector<double>{2, 3, 2, 5, 2, 5});
  CHECK(error("date,a,b\n1,2,\n2,1,1\n", Missing::forward) ==
        "1: :2: column 3 (b): empty: there is no value to carry forward");
}

TEST_CASE("series csv: tables of the wrong shape") {
  CHECK(error("") == "1: : is empty");
  CHECK(error("time,a\n1,2\n2,3\n") == "1: :1: column 1: must be headed 'date', not 'time'");
  CHECK(error("date\n1\n2\n") == "1: :1: no column but 'date'");
  CHECK(error("date,a,\n1,2,3\n") == "1: :1: column 3: has no name");
  CHECK(error("date,a,a\n1,2,3\n") == "1: :1: column 3: a second 'a'");
  CHECK(error("date,a\n1,2\n2,3,4\n") == "1: :3: 3 cells, the header has 2");
  CHECK(error("date,a,b\n1,2,1\n2,3\n") == "1: :3: 2 cells, the header has 3");
  CHECK(error("date,a\n1,2\n\n2,3\n") == "1: :3: blank line");
  CHECK(error("date,a\n1,2\n") ==
        "1: : a series has two rows or more under its header, this has 1");
  CHECK(error_of([] {
          read_series("/no/such.csv", Missing::error);
        }).starts_with("1: cannot read '/no/such.csv'"));
}
