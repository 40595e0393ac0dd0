#include "base/utf8.hpp"

#include <doctest/doctest.h>

using namespace rlt;

TEST_CASE("utf8: every character comes back as it was") {
  std::u32string all, decoded;
  std::string bytes;
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;  // surrogates are no characters
    all += c;
    bytes += utf8_of(c);
  }
  CHECK(append_decoded(bytes, decoded) == bytes.size());
  CHECK(decoded == all);
  CHECK(utf8_of(U'\u20AC') == "\xE2\x82\xAC");
  CHECK(utf8_of(U'\U0001F600') == "\xF0\x9F\x98\x80");
}

TEST_CASE("utf8: decoding stops where no well-formed sequence begins") {
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
    std::u32string text;
    CHECK(append_decoded("aé" + bytes, text) == 3);
    CHECK(text == U"aé");
    CHECK(append_decoded("aé" + bytes + "b", text) == 3);
  }
}

TEST_CASE("utf8: any text is printable in one line, and what is visible stays as it is") {
  CHECK(printable("it's \"größe\" \\ 語") == "it's \"größe\" \\ 語");
  CHECK(printable("a\nb\tc\rd") == "a\\nb\\tc\\rd");
  CHECK(printable("\x1b[31m\x7f\x01") == "\\u001b[31m\\u007f\\u0001");
  CHECK(printable("\xc2\x9b"
                  "2J\xe2\x80\xa8") == "\\u009b2J\\u2028");  // controls beyond ASCII
  CHECK(printable("run\xff"
                  "a\xc3") == "run\\xffa\\xc3");
  CHECK(printable(std::string_view("\0", 1)) == "\\u0000");
}

TEST_CASE("utf8: any bytes go into UTF-8 and come back") {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += {static_cast<char>(byte), 'x'};
  for (const std::string& bytes : {std::string(), std::string("größe\n"), all, std::string("\xff"),
                                   utf8_of(0xEF80), utf8_of(0xEFFF) + "\xee"}) {
    const std::string text = utf8_from_bytes(bytes);
    std::u32string characters;
    CHECK(append_decoded(text, characters) == text.size());
    CHECK(bytes_from_utf8(text) == bytes);
  }
  CHECK(utf8_from_bytes("größe\n") == "größe\n");
}
