#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include "base/cpu.hpp"

int main(int argc, char** argv) {
  // Most loops here are short, and other programs run beside: threads that wait sleep at once.
  rlt::set_up_libraries(argv, "0");
  rlt::prepare_processor();
  return doctest::Context(argc, argv).run();
}
