// Facts and settings of the processor.
#pragma once

#include <string>

namespace rlt {

/// Call once, first thing in main, before any thread exists. Denormal numbers are flushed to zero in every
/// thread (a step on a denormal state takes 100 times as long), and OpenBLAS keeps to the calling thread.
void prepare_processor();

/// Makes waiting threads spin briefly and then sleep. Spinning for long, as OpenMP does by default, makes a
/// step 30 times as long when other programs use the same cores. libgomp reads the setting only at start, so
/// the program starts itself once more with it set; if the user has set it, nothing happens.
void limit_spinning(char** argv);

/// Name of the processor, for `meta.json`.
std::string processor_name();
/// The kernel set that OpenBLAS chose at run time: another one gives other bits.
std::string blas_kernels();

}  // namespace rlt
