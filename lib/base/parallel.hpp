// The one place where threads start. Work is cut by the problem, never by the number of threads, so
// results are the same bits for every thread count.
#pragma once

#include <omp.h>

#include <utility>

#include "base/index.hpp"

namespace rlt {

/// Threads that `parallel_for` uses; >= 1. The default is the machine's number of processors.
int thread_count();
void set_thread_count(int threads);

/// Which iteration of which parallel loop the calling thread is in; the gemm log reads it.
struct LoopPosition {
  Index loop = 0;
  Index iteration = 0;
};
LoopPosition& loop_position();
Index next_loop();

/// body(i, thread) for i in [0, count); thread in [0, thread_count()) names a private scratch slot.
/// Iterations may run at the same time and in any order. Do not nest.
template <typename Body>
void parallel_for(Index count, Body&& body) {
  const Index loop = next_loop();
  if (count <= 1 || thread_count() == 1) {
    for (Index i = 0; i < count; ++i) {
      loop_position() = {loop, i};
      body(i, 0);
    }
    return;
  }
#pragma omp parallel for schedule(dynamic, 1) num_threads(thread_count())
  for (Index i = 0; i < count; ++i) {
    loop_position() = {loop, i};
    body(i, omp_get_thread_num());
  }
}

}  // namespace rlt
