#include "io/toml.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

using namespace rlt;

TEST_CASE("toml: one comment line, then the settings in their order") {
  const std::vector<TomlEntry> entries = {
      {"task", "parity"}, {"d-model", Index{64}}, {"lr", 1e-3}, {"quiet", false}, {"dropout", 1.0}};
  CHECK(toml_text("rlt train\nof today", entries) ==
        "# rlt train of today\ntask = \"parity\"\nd-model = 64\nlr = 0.001\nquiet = false\n"
        "dropout = 1.0\n");
}

TEST_CASE("toml: texts are quoted so that every reader gets them back") {
  const auto line = [](const std::string& text) {
    const std::string whole = toml_text("", std::vector<TomlEntry>{{"k", text}});
    return whole.substr(whole.find('\n') + 1);
  };
  CHECK(line("") == "k = \"\"\n");
  CHECK(line("it's") == "k = \"it's\"\n");
  CHECK(line("C:\\data") == "k = 'C:\\data'\n");
  CHECK(line("say \"x\"") == "k = 'say \"x\"'\n");
  CHECK(line("it's \"x\" \\") == "k = \"it's \\\"x\\\" \\\\\"\n");
  CHECK(line("a\nb\tc\x01\x7f") == "k = \"a\\nb\\tc\\u0001\\u007F\"\n");
  CHECK(line("größe") == "k = \"größe\"\n");
  CHECK(line("\xff") == "k = \"\xEE\xBF\xBF\"\n");  // U+EFFF
}

TEST_CASE("toml: numbers stay floats and keys stay keys") {
  const double infinity = std::numeric_limits<double>::infinity();
  const std::vector<TomlEntry> entries = {{"a", 1e-9},          {"b", -infinity},
                                          {"c", -infinity * 0}, {"d e", Index{-3}},
                                          {"f", 1e300},         {"", true}};
  CHECK(toml_text("x", entries) ==
        "# x\na = 1e-09\nb = -inf\nc = nan\n\"d e\" = -3\nf = 1e+300\n\"\" = true\n");
}
