#include "base/cpu.hpp"

#include <cblas.h>
#include <omp.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string_view>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

#include "base/level.hpp"

// Of OpenBLAS, in none of its headers; null in a library that was built without threads, or for one processor.
extern "C" {
__attribute__((weak)) int blas_thread_shutdown_();  // NOLINT(readability-identifier-naming)
__attribute__((weak)) void gotoblas_dynamic_quit();
__attribute__((weak)) void gotoblas_dynamic_init();
}

namespace rlt {
namespace {

void flush_denormals() {
#if defined(__SSE2__)
  constexpr unsigned flush_results_and_inputs = 0x8040;
  _mm_setcsr(_mm_getcsr() | flush_results_and_inputs);
#endif
}

// Whether the environment has changed; what the user has set stays.
bool set_if_free(const char* name, const char* value) {
  return value != nullptr && std::getenv(name) == nullptr && setenv(name, value, 1) == 0;
}

// What OpenBLAS shall multiply with, null where it chooses. At a level this follows from the level, not from the processor,
// so that two processors compute the same bits. A native program leaves the choice unless it fell on kernels of before 2013.
const char* openblas_kernels(std::string_view level) {
  if (level == "native") {
    const std::string chosen = blas_kernels();
    for (const char* const young : {"Haswell", "Zen", "SkylakeX", "Cooperlake", "SapphireRapids"}) {
      if (chosen == young) return nullptr;
    }
    level = processor_level();
    if (level == "x86-64") return nullptr;
  }
  if (level == "x86-64-v4") return "SKYLAKEX";
  if (level == "x86-64-v3") return "HASWELL";
  if (level == "x86-64") return "PRESCOTT";
  return nullptr;
}

// The same for oneDNN, which knows processors by what they can.
const char* onednn_kernels(std::string_view level) {
  if (level == "x86-64-v4") return "AVX512_CORE";
  if (level == "x86-64-v3") return "AVX2";
  if (level == "x86-64") return "SSE41";  // the least that it takes; it still asks the processor
  return nullptr;
}

// OpenBLAS has started threads and chosen kernels when it was loaded, before main. The threads spin for a while, and we
// never use them. It knows processors by their model number and takes those younger than itself for one of 2004: it then
// multiplies four times as slowly as it could. So here it chooses once more.
void prepare_openblas() {
  openblas_set_num_threads(1);
  if (blas_thread_shutdown_ != nullptr) blas_thread_shutdown_();
  if (gotoblas_dynamic_quit != nullptr && gotoblas_dynamic_init != nullptr &&
      set_if_free("OPENBLAS_CORETYPE", openblas_kernels(level()))) {
    gotoblas_dynamic_quit();
    gotoblas_dynamic_init();
  }
}

}  // namespace

void prepare_processor() {
  prepare_openblas();
  set_if_free("DNNL_MAX_CPU_ISA", onednn_kernels(level()));  // read at the first product
  prepare_thread();
}

void prepare_thread() {
  flush_denormals();
  omp_set_num_threads(1);  // of oneDNN, in products that this thread asks for
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
