#include "io/toml.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "tests/support/message.hpp"

using namespace rlt;
using test::error_of;

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

namespace {

std::string read(const std::string& text) {
  std::string all;
  for (const auto& [key, value] : read_toml(text, "a.toml")) all += key + "=" + value + ";";
  return all;
}

std::string refused(const std::string& text) {
  return error_of([&] { read_toml(text, "a.toml"); });
}

}  // namespace

TEST_CASE("toml: every text is read back as it was, whatever its bytes") {
  std::string all_bytes;
  for (int byte = 0; byte < 256; ++byte) all_bytes += static_cast<char>(byte);
  for (const std::string& text :
       {std::string("corpus #2"), std::string("it's \"x\" \\ # 'y'"), std::string("C:\\new\\table"),
        std::string("a\nb\tc\r\n"), std::string(), std::string("größe, \xff\xfe"), all_bytes}) {
    CAPTURE(text);
    const std::vector<TomlEntry> entries = {{"data", text}, {"seed", Index{3}}};
    const auto settings = read_toml(toml_text("any", entries), "a.toml");
    CHECK(settings.size() == 2);
    CHECK(settings.at("data") == text);
    CHECK(settings.at("seed") == "3");
  }
}

TEST_CASE("toml: numbers are read as they are written, arrays as lists with commas") {
  CHECK(read("a = 0x10 # sixteen\nb = +5\r\n\"ö\" = -1e-09\nc = 1_000") ==
        "a=0x10;b=+5;c=1_000;ö=-1e-09;");
  CHECK(read("a = [\"ü=1\", 'b#', 2, true]") == "a=ü=1,b#,2,true;");
  CHECK(read("a = [\n  1.50,\n  -inf,\n]\nb = false\nc = []") == "a=1.50,-inf;b=false;c=;");
  CHECK(read("# only a comment") == "");
  CHECK(read("") == "");
}

TEST_CASE("toml: what is no setting is refused with its file, key and line") {
  const std::string no_value = " is no value of a setting";
  CHECK(refused("a = 1\n[b]\nc = 2\n") == "2: a.toml: b (line 2): a table" + no_value);
  CHECK(refused("b.c = 2\n") == "2: a.toml: b (line 1): a table" + no_value);
  CHECK(refused("a = [{b = 1}]\n") == "2: a.toml: a (line 1): a table" + no_value);
  CHECK(refused("\na = 2020-01-01\n") == "2: a.toml: a (line 2): a date or a time" + no_value);
  CHECK(refused("a = nan\n") == "2: a.toml: a (line 1): nan" + no_value);
  CHECK(refused("a = [[1], 2]\n") == "2: a.toml: a (line 1): an array in an array" + no_value);
}

TEST_CASE("toml: what is no TOML is refused in one line with its file, key and line") {
  for (const std::string& bad :
       {std::string("a = 'x"), std::string("a = \"\\q\""), std::string("a ="), std::string("a = b"),
        std::string("a"), std::string("a = 1 2"), std::string("a = 010"),
        std::string("a = 9223372036854775808"), std::string("a = \"\x01\""),
        std::string("a = \"\xff\"")}) {
    CAPTURE(bad);
    const std::string message = refused("b = 1\nc = 1\n" + bad + "\n");
    CHECK(message.starts_with("2: a.toml: a"));
    CHECK(message.find("(line 3)") != std::string::npos);
    CHECK(message.find('\n') == std::string::npos);
  }
  CHECK(refused("a = 1\nb = 1\na = 2\n").starts_with("2: a.toml: a = 2 (line 3): "));
  CHECK(refused("a = " + std::string(100'000, '[')).starts_with("2: a.toml: "));
}
