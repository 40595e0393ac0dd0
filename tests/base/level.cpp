#include "base/level.hpp"

#include <doctest/doctest.h>

#include "tests/support/message.hpp"

using rlt::choose_level;

namespace {

const std::vector<std::string> all = {"x86-64", "x86-64-v3", "x86-64-v4"};

std::string refusal(const std::vector<std::string>& present, const char* most, const char* asked) {
  return rlt::test::error_of([&] { choose_level(present, most, asked); });
}

}  // namespace

TEST_CASE("level: the highest that is present and that the processor runs") {
  CHECK(choose_level(all, "x86-64", "") == "x86-64");
  CHECK(choose_level(all, "x86-64-v3", "") == "x86-64-v3");
  CHECK(choose_level(all, "x86-64-v4", "") == "x86-64-v4");
  CHECK(choose_level({"x86-64", "x86-64-v3"}, "x86-64-v4", "") == "x86-64-v3");
  CHECK(choose_level({"x86-64", "x86-64-v4"}, "x86-64-v3", "") == "x86-64");
  CHECK(choose_level({"x86-64"}, "x86-64-v4", "") == "x86-64");
}

TEST_CASE("level: one is asked for, up to what the processor runs") {
  CHECK(choose_level(all, "x86-64-v4", "x86-64") == "x86-64");
  CHECK(choose_level(all, "x86-64-v4", "x86-64-v3") == "x86-64-v3");
  CHECK(choose_level(all, "x86-64-v3", "x86-64-v3") == "x86-64-v3");
  CHECK(refusal(all, "x86-64-v3", "x86-64-v4") ==
        "2: RLT_LEVEL=x86-64-v4: this processor is of level x86-64-v3");
  CHECK(refusal(all, "x86-64", "x86-64-v3") ==
        "2: RLT_LEVEL=x86-64-v3: this processor is of level x86-64");
}

TEST_CASE("level: names that are none, and levels that are not present, are refused") {
  CHECK(refusal(all, "x86-64-v4", "x86-64-v5") ==
        "2: RLT_LEVEL=x86-64-v5: no such level; did you mean 'x86-64-v3'?");
  CHECK(refusal(all, "x86-64-v4", "sse").starts_with("2: RLT_LEVEL=sse: no such level"));
  CHECK(refusal({"x86-64", "x86-64-v3"}, "x86-64-v4", "x86-64-v4") ==
        "2: RLT_LEVEL=x86-64-v4: not built or not installed here; there is: x86-64, x86-64-v3");
}

TEST_CASE(
    "level: a program for one kind of processor has no other, and one of another architecture") {
  CHECK(choose_level({"native"}, "x86-64-v4", "") == "native");
  CHECK(choose_level({"native"}, "x86-64", "native") == "native");
  CHECK(choose_level({"default"}, "default", "") == "default");
  CHECK(refusal({"native"}, "x86-64-v4", "x86-64-v3") ==
        "2: RLT_LEVEL=x86-64-v3: not built or not installed here; there is: native");
  CHECK(refusal({"default"}, "default", "x86-64-v3") ==
        "2: RLT_LEVEL=x86-64-v3: this processor is of level default");
}

TEST_CASE("level: the program of a high level says so on a lower processor") {
  CHECK(refusal({"x86-64-v4"}, "x86-64-v3", "") ==
        "2: this program needs a processor of level x86-64-v4, this one is of level x86-64-v3");
}

TEST_CASE("level: a program that was copied without its faster levels says so") {
  const auto note = [](const char* own, const std::vector<std::string>& present, const char* most) {
    return rlt::missing_levels(own, present, most, "/home/me/libexec/rlt");
  };
  CHECK(note("x86-64", {"x86-64"}, "x86-64-v4") ==
        "runs at level x86-64, slowly: this processor is of level x86-64-v4, but "
        "'/home/me/libexec/rlt' has no faster rlt; it belongs to this program (RLT_LEVEL=x86-64 "
        "runs without this note)");
  CHECK(note("x86-64", {"x86-64"}, "x86-64").empty());
  CHECK(note("x86-64", {"x86-64", "x86-64-v4"}, "x86-64-v3").empty());
  CHECK(note("x86-64-v3", {"x86-64-v3"}, "x86-64-v4").empty());
  CHECK(note("native", {"native"}, "x86-64-v4").empty());
  CHECK(note("default", {"default"}, "default").empty());
}

TEST_CASE("level: this processor runs what this program was compiled for") {
  std::string compiled = "x86-64";
#if defined(__AVX2__) && defined(__FMA__) && defined(__BMI__) && defined(__BMI2__) && \
    defined(__F16C__) && defined(__LZCNT__) && defined(__MOVBE__)
  compiled = "x86-64-v3";
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512CD__) && \
    defined(__AVX512DQ__) && defined(__AVX512VL__)
  compiled = "x86-64-v4";
#endif
#endif
  CHECK(choose_level({compiled}, rlt::processor_level(), "") == compiled);
}
