#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include "base/cpu.hpp"

int main(int argc, char** argv) {
  rlt::prepare_processor();
  return doctest::Context(argc, argv).run();
}
