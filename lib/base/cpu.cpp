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

// The kernels that this processor runs, where OpenBLAS chose some of before 2013; else null.
const char* better_kernels() {
#if defined(__x86_64__)
  const std::string chosen = blas_kernels();
  for (const char* const young : {"Haswell", "Zen", "SkylakeX", "Cooperlake", "SapphireRapids"}) {
    if (chosen == young) return nullptr;
  }
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    return "SKYLAKEX";
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "HASWELL";
#endif
  return nullptr;
}

}  // namespace

void prepare_processor() {
  openblas_set_num_threads(1);
  flush_denormals();
#pragma omp parallel
  flush_denormals();
  omp_set_num_threads(1);  // oneDNN's; ours are counted by parallel_for
}

void set_up_libraries(char** argv, const char* spin_count) {
  const auto is_free = [](const char* name) { return std::getenv(name) == nullptr; };
  const bool sets_spinning = is_free("GOMP_SPINCOUNT") && is_free("OMP_WAIT_POLICY");
  const char* const kernels = is_free("OPENBLAS_CORETYPE") ? better_kernels() : nullptr;
  const bool sets_threads = is_free("OPENBLAS_NUM_THREADS");
  if (sets_spinning) setenv("GOMP_SPINCOUNT", spin_count, 1);
  if (sets_threads) setenv("OPENBLAS_NUM_THREADS", "1", 1);
  if (kernels != nullptr) setenv("OPENBLAS_CORETYPE", kernels, 1);
  if (!sets_spinning && !sets_threads && kernels == nullptr) return;
  execv("/proc/self/exe", argv);  // returns only when it could not: then all stays as it is
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
