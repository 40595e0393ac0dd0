// Facts and settings of the processor.
#pragma once

#include <string>

namespace rlt {

/// Call once, first thing in main, before any thread exists: denormal numbers are flushed to zero in
/// every thread (a denormal state costs 100 times), and OpenBLAS keeps to the calling thread.
void prepare_processor();

/// Waiting threads spin briefly, then sleep: spinning at full length, as OpenMP does by default, costs 30
/// times the step when other programs use the same cores. libgomp reads this only at start, so the
/// program starts itself once more with it set; a value of the user's stays.
void limit_spinning(char** argv);

/// Name of the processor, for `meta.json`.
std::string processor_name();
/// The kernel set that OpenBLAS chose at run time: another one gives other bits.
std::string blas_kernels();

}  // namespace rlt
