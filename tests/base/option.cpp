#include "base/option.hpp"

#include <doctest/doctest.h>

#include "tests/support/message.hpp"

using namespace rlt;

TEST_CASE("option: numbers are plain decimal ones in their range") {
  const std::vector<Option> known = {
      {.name = "depth",
       .value = "1",
       .help = "",
       .choices = {},
       .low = 1,
       .high = 4,
       .whole = true},
      {.name = "share", .value = "0.1", .help = "", .choices = {}, .low = 0, .high = 0.5}};
  const auto error = [&](const char* name, const char* value) {
    return test::error_of([&] {
      complete_options("cell-option", "owner", known, {{name, value}});
    });
  };
  for (const char* const value :
       {"", "0", "5", "01", "+1", "1.0", "1e0", "0x1", "nan", "-1", "9223372036854775807"}) {
    CAPTURE(value);
    CHECK(error("depth", value) == "2: --cell-option depth=" + std::string(value) +
                                       ": owner takes a whole number from 1 to 4");
  }
  for (const char* const value : {"", "0.6", "00.1", "nan", "inf", "-0.1", "1e400"}) {
    CAPTURE(value);
    CHECK(error("share", value) ==
          "2: --cell-option share=" + std::string(value) + ": owner takes a number from 0 to 0.5");
  }
  CHECK(error("depth", "4") == "no error");
  CHECK(error("share", "5e-1") == "no error");
}
