#include "tasks/utf8.hpp"

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
