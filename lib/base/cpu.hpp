// Facts and settings of the processor.
#pragma once

#include <string>

namespace rlt {

/// Call once, first thing in main, before any thread exists: OpenBLAS and oneDNN keep to the calling thread and to the
/// kernels of this level (level.hpp), and this thread is prepared. What the user has set stays.
void prepare_processor();
/// First thing in every other thread. Denormal numbers are flushed to zero (a step on a denormal state takes 100 times
/// as long), and oneDNN keeps to the calling thread.
void prepare_thread();

/// Processors that this program may use: its affinity, and the quota of its control group; >= 1.
int given_processors();

/// Tells the processor that the thread spins.
inline void pause_processor() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/// Name of the processor, for `meta.json`.
std::string processor_name();
/// The kernel set that OpenBLAS chose at run time: another one gives other bits.
std::string blas_kernels();

}  // namespace rlt
