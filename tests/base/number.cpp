#include "base/number.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "tests/support/message.hpp"

using namespace rlt;
using test::error_of;

TEST_CASE("number: what is no plain decimal number is nothing") {
  for (const char* const text :
       {"", " ", "010", "00", "0x10", "+5", "-0", "1e3", "5 ", " 5", "5.0", "5s", "1,000", "1_000",
        "nan", "inf", "--5", "99999999999999999999", "9223372036854775808"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_number<Index>(text));
  }
  for (const char* const text : {"", "nan", "-nan", "inf", "-inf", "infinity", "0x1p3", "010",
                                 "-01.5", "+1", "1e400", "1.5 ", "1.5x", "e3", ".", "-"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_number<double>(text));
  }
  for (const char* const text : {"", "-1", "18446744073709551616", "01", "1.0"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_number<std::uint64_t>(text));
  }
}

TEST_CASE("number: plain decimal numbers are read to the last bit") {
  CHECK(parse_number<Index>("0") == 0);
  CHECK(parse_number<Index>("-17") == -17);
  CHECK(parse_number<Index>("9223372036854775807") == std::numeric_limits<Index>::max());
  CHECK(parse_number<std::uint64_t>("18446744073709551615") ==
        std::numeric_limits<std::uint64_t>::max());
  CHECK(parse_number<double>("0.1") == 0.1);
  CHECK(parse_number<double>("1e-09") == 1e-9);
  CHECK(parse_number<double>("-2.5e3") == -2500);
  CHECK(parse_number<double>("0") == 0);
}

TEST_CASE("number: an error names the source, the text and the range") {
  CHECK(error_of([] { number_from<Index>("--batch", "0", 1, 9); }) ==
        "2: --batch 0: must be a whole number from 1 to 9");
  CHECK(error_of([] { number_from<Index>("RLT_BATCH", "010", 1, 9); }) ==
        "2: RLT_BATCH 010: must be a whole number from 1 to 9, in decimal digits");
  CHECK(error_of([] { number_from<double>("--lr", "", 0, 0.5); }) ==
        "2: --lr '': must be a number from 0 to 0.5, in decimal digits");
  CHECK(number_from<Index>("--batch", "9", 1, 9) == 9);
}
