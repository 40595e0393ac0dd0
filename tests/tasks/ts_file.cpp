#include "tasks/ts_file.hpp"

#include <doctest/doctest.h>

#include "tests/support/message.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace rlt;
using test::error_of;

namespace {

struct File : test::TemporaryFolder {
  explicit File(const std::string& text) { write("P.ts", text); }
  TsFile read(Missing missing = Missing::error) const { return read_ts(path() / "P.ts", missing); }
};

/// Without the file's name.
std::string error(const std::string& text, Missing missing = Missing::error) {
  const File file(text);
  std::string message = error_of([&] { file.read(missing); });
  const std::string name = (file.path() / "P.ts").string();
  if (const std::size_t at = message.find(name); at != std::string::npos) {
    message.erase(at, name.size());
  }
  return message;
}

const std::string header = "@classLabel true up down\n@data\n";  // two lines

}  // namespace

TEST_CASE("ts file: several dimensions, unequal lengths, comments and cases of the header") {
  const TsFile file = File(
                          "#a comment\n@problemName Two\n@TIMESTAMPS false\n@univariate false\n"
                          "@dimensions 2\n@equalLength false\n@classLabel true up down\n\n@data\n"
                          "1,2,3:-4,5.5,6e-1:down\r\n 7 , 8 : 9 , 10 : up \n")
                          .read();
  CHECK(file.channels == 2);
  CHECK(file.classes == std::vector<std::string>{"up", "down"});
  REQUIRE(file.series.size() == 2);
  CHECK(file.series[0].values == std::vector<float>{1, -4, 2, 5.5F, 3, 0.6F});
  CHECK(file.series[0].label == 1);
  CHECK(file.series[1].values == std::vector<float>{7, 9, 8, 10});
  CHECK(file.series[1].label == 0);
  CHECK(file.series[1].line == 11);
}

TEST_CASE("ts file: missing values are errors, or the last value of their dimension") {
  const std::string text = header + "1,2:3,?:up\n";
  CHECK(error(text) ==
        "1: :3: dimension 2, value 2: '?' is missing: give a value, or "
        "--task-option missing=forward");
  CHECK(File(text).read(Missing::forward).series[0].values == std::vector<float>{1, 3, 2, 3});
  CHECK(error(header + "NaN,2:up\n", Missing::forward) ==
        "1: :3: dimension 1, value 1: 'NaN' is missing, and there is no value to carry forward");
}

TEST_CASE("ts file: what does not agree is named with its line") {
  CHECK(error(header + "1,2:up\n1,x:up\n") == "1: :4: dimension 1, value 2: 'x' is not a number");
  CHECK(error(header + "1,-1e39:up\n") == "1: :3: dimension 1, value 2: '-1e39' is too large");
  CHECK(error(header + "1,,2:up\n") == "1: :3: dimension 1, value 2: '' is not a number");
  CHECK(error(header + "1,2:3,4:up\n1,2:up\n") == "1: :4: 1 dimensions, 2 expected");
  CHECK(error(header + "1,2:3,4,5:up\n") == "1: :3: dimension 2 has 3 values, dimension 1 has 2");
  CHECK(error(header + "1,2:left\n") == "1: :3: class 'left' is not in @classLabel");
  CHECK(error(header + "1,2\n") == "1: :3: no ':' between series and class");
  CHECK(error("@univariate true\n" + header + "1:2:up\n") == "1: :4: 2 dimensions, 1 expected");
  CHECK(error("@equalLength true\n" + header + "1,2:up\n1:up\n") ==
        "1: :5: a series of 1 values, 2 expected");
  CHECK(error("@seriesLength 3\n" + header + "1,2:up\n") ==
        "1: :4: a series of 2 values, 3 expected");
  CHECK(error(header) == "1: : holds no series");
  CHECK(error("") == "1: : has no line @data");
}

TEST_CASE("ts file: headers that cannot be used are refused") {
  CHECK(error("@data\n1:up\n") == "1: :1: no line @classLabel true CLASS CLASS ... before it");
  CHECK(error("1,2:up\n") == "1: :1: '1,2:up' before the line @data");
  CHECK(error("@classLabel false\n") == "1: :1: @classLabel: only series with classes are read");
  CHECK(error("@classLabel true a\n") == "1: :1: @classLabel names less than two classes");
  CHECK(error("@classLabel true a b a\n") == "1: :1: @classLabel names 'a' twice");
  CHECK(error("@targetLabel true\n") == "1: :1: @targetLabel: labels must be classes");
  CHECK(error("@timeStamps true\n") == "1: :1: @timeStamps: only false is read");
  CHECK(error("@dimensions two\n") == "1: :1: @dimensions 'two': must be a whole number from 1 on");
}
