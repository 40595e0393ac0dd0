#include "base/nearest.hpp"

#include <doctest/doctest.h>

using rlt::nearest;
using rlt::suggestion;

TEST_CASE("nearest: one letter too many, too few, changed, or two swapped") {
  const std::vector<std::string> known = {"parity", "dyck1", "listops"};
  for (const char* word : {"paritty", "parit", "parety", "partiy", "parity"}) {
    CHECK(nearest(word, known) == "parity");
  }
  CHECK(nearest("dyck2", known) == "dyck1");
  CHECK(nearest("list_ops", known) == "listops");
}

TEST_CASE("nearest: the smallest distance wins, and of equals the first") {
  CHECK(nearest("adamw", {"adam", "adamw"}) == "adamw");
  CHECK(nearest("adams", {"adamw", "adam"}) == "adamw");
  CHECK(nearest("adams", {"adam", "adamw"}) == "adam");
}

TEST_CASE("nearest: nothing further away than a third of the longer word") {
  CHECK(nearest("abcxxx", {"abcdef"}).empty());      // three of six letters
  CHECK(nearest("abcdxx", {"abcdef"}) == "abcdef");  // two
  CHECK(nearest("ab", {"ax"}) == "ax");              // one letter is always near
  CHECK(nearest("ab", {"xy"}).empty());
  CHECK(nearest("", {"adam"}).empty());
  CHECK(nearest("adam", {}).empty());
}

TEST_CASE("suggestion: the nearest name, or all names when none is near") {
  CHECK(suggestion("adan", {"adam", "sgd"}) == "; did you mean 'adam'?");
  CHECK(suggestion("newton", {"adam", "sgd"}) == "; known: adam, sgd");
}
