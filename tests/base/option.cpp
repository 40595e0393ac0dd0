#include "base/option.hpp"

#include <doctest/doctest.h>

#include "support/message.hpp"

using rlt::Option;
using rlt::OptionValues;
using rlt::test::error_of;

namespace {

const std::vector<Option> known = {
    {.name = "map", .value = "elu1", .help = "", .choices = {"elu1", "softmax"}},
    {.name = "rate", .value = "0.5", .help = "", .choices = {}, .low = 0.25, .high = 2},
    {.name = "depth", .value = "3", .help = "", .choices = {}, .low = 1, .high = 9, .whole = true},
};

OptionValues completed(const OptionValues& chosen) {
  return rlt::complete_options("cell-option", "deltanet", known, chosen);
}

std::string refusal(const OptionValues& chosen) {
  return error_of([&] { completed(chosen); });
}

}  // namespace

TEST_CASE("options: NAME=VALUE is cut at the first equals sign") {
  CHECK(rlt::parse_options("task-option", {"a=1", "b=x=y", "c="}) ==
        OptionValues{{"a", "1"}, {"b", "x=y"}, {"c", ""}});
  CHECK(rlt::parse_options("task-option", {}).empty());
  CHECK(error_of([] {
          rlt::parse_options("task-option", {"a=1", "depth"});
        }) == "2: --task-option depth: must be NAME=VALUE");
}

TEST_CASE("options: what was not chosen has its default") {
  CHECK(completed({}) == OptionValues{{"map", "elu1"}, {"rate", "0.5"}, {"depth", "3"}});
  CHECK(completed({{"rate", "1"}}) == OptionValues{{"map", "elu1"}, {"rate", "1"}, {"depth", "3"}});
}

TEST_CASE("options: numbers are taken up to both bounds and no further") {
  for (const char* inside : {"0.25", "2", "2.0", "1e0", "20e-1"}) {
    CHECK(completed({{"rate", inside}}).at("rate") == inside);
  }
  for (const char* outside :
       {"0.24999", "2.00001", "-1", "nan", "inf", "", "1x", "x", " 1", "0x1"}) {
    CHECK(refusal({{"rate", outside}}) ==
          fmt::format("2: --cell-option rate={}: deltanet takes a number from 0.25 to 2", outside));
  }
}

TEST_CASE("options: where only whole numbers make sense a fraction is refused") {
  CHECK(completed({{"depth", "9"}}).at("depth") == "9");
  for (const char* bad : {"1.5", "0", "10"}) {
    CHECK(refusal({{"depth", bad}}) ==
          fmt::format("2: --cell-option depth={}: deltanet takes a whole number from 1 to 9", bad));
  }
}

TEST_CASE("options: words are taken as they are written") {
  CHECK(completed({{"map", "softmax"}}).at("map") == "softmax");
  for (const char* bad : {"Softmax", "soft", ""}) {
    CHECK(refusal({{"map", bad}}) ==
          fmt::format("2: --cell-option map={}: deltanet takes elu1 or softmax", bad));
  }
}

TEST_CASE("options: an unknown name comes with the nearest, or with the fact that there are none") {
  CHECK(refusal({{"dept", "1"}}) ==
        "2: --cell-option dept: deltanet has no such option; did you mean 'depth'?");
  CHECK(error_of([] {
          rlt::complete_options("cell-option", "lstm", {}, {{"dept", "1"}});
        }) == "2: --cell-option dept: lstm has no options");
}

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
    return error_of([&] { rlt::complete_options("cell-option", "owner", known, {{name, value}}); });
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
