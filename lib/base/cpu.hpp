// Facts and settings of the processor.
#pragma once

#include <string>

namespace rlt {

/// Call once, first thing in main, before any thread exists. Denormal numbers are flushed to zero in every
/// thread (a step on a denormal state takes 100 times as long), and OpenBLAS and oneDNN keep to the calling
/// thread.
void prepare_processor();

/// First thing in main. Two libraries read settings at load alone, so that the program starts itself once more
/// where one is missing; what the user has set stays.
/// - libgomp: waiting threads spin `spin_count` times and then sleep. Spinning for long, as it does by default,
///   makes a step 30 times as long when other programs use the same cores.
/// - OpenBLAS knows processors by their model number and takes those younger than itself for one of 2004: it
///   then multiplies four times as slowly as it could. And it starts threads of its own, which we never use, but which
///   spin for a while.
void set_up_libraries(char** argv, const char* spin_count);

/// Name of the processor, for `meta.json`.
std::string processor_name();
/// The kernel set that OpenBLAS chose at run time: another one gives other bits.
std::string blas_kernels();

}  // namespace rlt
