#include "base/utf8.hpp"

#include <doctest/doctest.h>
#include <utf8cpp/utf8.h>

using namespace rlt;

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
                                   std::string("\uef80"), std::string("\uefff\xee")}) {
    const std::string text = utf8_from_bytes(bytes);
    CHECK(utf8::is_valid(text));
    CHECK(bytes_from_utf8(text) == bytes);
  }
  CHECK(utf8_from_bytes("größe\n") == "größe\n");
}
