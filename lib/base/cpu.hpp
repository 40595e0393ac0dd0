// Facts and settings of the processor.
#pragma once

#include <string>

namespace rlt {

/// Call once, first thing in main, before any thread exists: OpenBLAS keeps to the calling thread, and this is prepared.
void prepare_processor();
/// First thing in every other thread. Denormal numbers are flushed to zero (a step on a denormal state takes 100 times
/// as long), and oneDNN keeps to the calling thread.
void prepare_thread();

/// First thing in main: starts the program once more, at the level for this processor (level.hpp; Error(usage) like
/// there) and with what OpenBLAS reads at load alone; what the user has set stays. It knows processors by their model
/// number and takes those younger than itself for one of 2004: it then multiplies four times as slowly as it could. And it
/// starts threads of its own, which we never use, but which spin for a while.
void restart_prepared(char** argv);

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
