#include "base/cpu.hpp"

#include <cblas.h>
#include <omp.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
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
  prepare_thread();
}

void prepare_thread() {
  flush_denormals();
  omp_set_num_threads(1);  // of oneDNN, in products that this thread asks for
}

void set_up_libraries(char** argv) {
  const auto is_free = [](const char* name) { return std::getenv(name) == nullptr; };
  const char* const kernels = is_free("OPENBLAS_CORETYPE") ? better_kernels() : nullptr;
  const bool sets_threads = is_free("OPENBLAS_NUM_THREADS");
  if (sets_threads) setenv("OPENBLAS_NUM_THREADS", "1", 1);
  if (kernels != nullptr) setenv("OPENBLAS_CORETYPE", kernels, 1);
  if (!sets_threads && kernels == nullptr) return;
  execv("/proc/self/exe", argv);  // returns only when it could not: then all stays as it is
}

int given_processors() {
  cpu_set_t allowed;
  int processors = sched_getaffinity(0, sizeof allowed, &allowed) == 0
                       ? CPU_COUNT(&allowed)
                       : static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  // cgroup 2, and 1: microseconds of all processors in a period; "max" or -1 where there is no limit.
  double quota = 0;
  double period = 0;
  if (std::ifstream file("/sys/fs/cgroup/cpu.max"); file >> quota >> period && period > 0) {
    processors = std::min(processors, static_cast<int>(quota / period));
  }
  std::ifstream quota_file("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  std::ifstream period_file("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  if (quota_file >> quota && period_file >> period && quota > 0 && period > 0) {
    processors = std::min(processors, static_cast<int>(quota / period));
  }
  return std::max(1, processors);
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
