#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>

#include "base/cpu.hpp"

int main(int argc, char** argv) {
  // Most loops here are short, and other programs run beside: threads that wait sleep at once. libgomp reads
  // this at start only.
  if (std::getenv("GOMP_SPINCOUNT") == nullptr) {
    setenv("GOMP_SPINCOUNT", "0", 1);
    execv("/proc/self/exe", argv);
  }
  rlt::prepare_processor();
  return doctest::Context(argc, argv).run();
}
