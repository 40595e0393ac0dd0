#include "io/text.hpp"

#include <doctest/doctest.h>

#include <filesystem>

#include "support/message.hpp"
#include "support/temporary_folder.hpp"

using namespace rlt;
using test::error_of;

namespace {

std::string fault(const std::string& content) { return text_fault("f", content); }

/// Every character of `text`, all below U+0080, with `width` bytes.
std::string widened(const std::string& text, std::size_t width, bool low_first) {
  std::string wide;
  for (const char c : text) {
    std::string unit(width, '\0');
    (low_first ? unit.front() : unit.back()) = c;
    wide += unit;
  }
  return wide;
}

}  // namespace

TEST_CASE("text: every character of UTF-8 is text but NUL") {
  CHECK(fault("").empty());
  CHECK(fault("a\u00e9\u20ac\U0001F600\ufeff\n\t\r").empty());
  CHECK(fault("\uffff\U0010FFFF\ud7ff\ue000").empty());
  CHECK(fault(std::string("two\nl\0nes\n", 10)) == "f:2: byte 0x00 at offset 5 is not UTF-8 text");
}

TEST_CASE("text: a fault is where no well-formed sequence begins") {
  const std::string malformed[] = {
      "\x80",              // stray continuation
      "\xBF",              //
      "\xC3",              // missing continuations
      "\xE2\x82",          //
      "\xF0\x9F\x98",      //
      "\xC3z",             // something else in their place
      "\xE2\x82z",         //
      "\xE2zz",            //
      "\xF0\x9F\x98\xC3",  //
      "\xC0\x80",          // overlong
      "\xC1\xBF",          //
      "\xE0\x9F\xBF",      //
      "\xF0\x8F\xBF\xBF",  //
      "\xED\xA0\x80",      // surrogates
      "\xED\xBF\xBF",      //
      "\xF4\x90\x80\x80",  // beyond U+10FFFF
      "\xF5\x80\x80\x80",  //
      "\xF8\x88\x80\x80\x80",
      "\xFE",
      "\xFF",
  };
  for (const std::string& bytes : malformed) {
    CAPTURE(bytes);
    for (const std::string after : {"", "b"}) {
      const std::string found = fault("\naé" + bytes + after);
      CHECK(found.starts_with("f:2: byte 0x"));
      CHECK(found.ends_with(" at offset 4 is not UTF-8 text"));
    }
  }
}

TEST_CASE("text: UTF-16 and UTF-32 are named, with a byte-order mark and without") {
  using namespace std::string_literals;
  const auto named = [](const std::string& content, const std::string& encoding) {
    CHECK(fault(content) == "f:1: " + encoding + " text, not UTF-8; `iconv -f " + encoding +
                                " -t UTF-8 f > NEW` converts it");
  };
  const std::string text = "a b\nb a\n";
  named("\xFF\xFE" + widened(text, 2, true), "UTF-16");
  named("\xFE\xFF" + widened(text, 2, false), "UTF-16");
  named("\xFF\xFE\0\0"s + widened(text, 4, true), "UTF-32");
  named("\0\0\xFE\xFF"s + widened(text, 4, false), "UTF-32");
  named(widened(text, 2, true), "UTF-16LE");
  named(widened(text, 2, false), "UTF-16BE");
  named(widened(text, 4, true), "UTF-32LE");
  named(widened(text, 4, false), "UTF-32BE");
}

TEST_CASE("text: Latin-1 is guessed where nothing speaks for damaged UTF-8 or no text at all") {
  CHECK(fault("caf\xE9 au lait") ==
        "f:1: byte 0xe9 at offset 3 is not UTF-8 text but perhaps Latin-1; `iconv -f LATIN1 -t "
        "UTF-8 f > NEW` converts that");
  CHECK(fault("a\nb \x93quoted\x94 caf\xE9").find("f:2: ") == 0);
  CHECK(fault("a \x93quoted\x94").find("iconv -f WINDOWS-1252 ") != std::string::npos);
  CHECK(fault("caf\u00e9, caf\xE9").ends_with("is not UTF-8 text"));
  CHECK(fault("\x7F"
              "ELF\x02\xFF")
            .ends_with("is not UTF-8 text"));
}

TEST_CASE("text: a byte-order mark goes, once and only at the beginning") {
  const test::TemporaryFolder folder;
  folder.write("a", "\ufeffa\ufeff\n");
  CHECK(read_text(folder.path() / "a") == "a\ufeff\n");
  std::string content = "\ufeff\ufeffa";
  CHECK(drop_byte_order_mark(content));
  CHECK(content == "\ufeffa");
  content = "\xEF\xBB";
  CHECK(!drop_byte_order_mark(content));
  CHECK(content == "\xEF\xBB");
}

TEST_CASE("text: reading names the file that is missing or no text") {
  const test::TemporaryFolder folder;
  const std::string path = (folder.path() / "a").string();
  CHECK(error_of([&] { read_text(path); }).starts_with("1: cannot read '" + path + "'"));
  folder.write("a", "one\ntw\xF6\n");
  CHECK(error_of([&] { read_text(path); }).starts_with("1: " + path + ":2: byte 0xf6 at offset 6"));
}
