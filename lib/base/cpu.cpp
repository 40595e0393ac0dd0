#include "base/cpu.hpp"

#include <cblas.h>
#include <omp.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

namespace rlt {
namespace {

void flush_denormals() {
#if defined(__SSE2__)
  constexpr unsigned flush_results_and_inputs = 0x8040;
  _mm_setcsr(_mm_getcsr() | flush_results_and_inputs);
#endif
}

}  // namespace

void prepare_processor() {
  openblas_set_num_threads(1);
  flush_denormals();
#pragma omp parallel
  flush_denormals();
}

void limit_spinning(char** argv) {
  if (std::getenv("GOMP_SPINCOUNT") != nullptr || std::getenv("OMP_WAIT_POLICY") != nullptr) return;
  setenv("GOMP_SPINCOUNT", "10000", 1);
  execv("/proc/self/exe", argv);  // returns only when it could not: then spinning stays as it is
}

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

std::string blas_kernels() { return openblas_get_corename(); }

}  // namespace rlt
