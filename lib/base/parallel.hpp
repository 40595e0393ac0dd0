// The one place where threads start. Work is cut by the problem, never by the number of threads, so
// results are the same bits for every thread count.
#pragma once

#include <atomic>

#include "base/index.hpp"

namespace rlt {

/// Threads that `parallel_for` uses; >= 1. By default the processors that the system gives this program.
int thread_count();
void set_thread_count(int threads);

/// Which iteration of which parallel loop the calling thread is in, or what follows a loop, which counts as one of one
/// iteration; the gemm log reads it.
struct LoopPosition {
  Index loop = 0;
  Index iteration = 0;
};
LoopPosition& loop_position();
Index next_loop();

/// Iterations next .. end - 1 of a loop that nobody has begun yet.
struct alignas(64) Share {
  std::atomic<Index> next;
  Index end = 0;
};
/// Deals `count` iterations to thread_count() threads, in order and evenly: one Share each.
Share* deal(Index count);

/// work(what, thread) on the calling thread, which is 0, and on those of the others that come before it is done; all that
/// came have left on return. Whoever comes late finds nothing to do, and nobody waits for him: on a machine with other
/// work a thread may take milliseconds to come.
void run_together(void (*work)(const void* what, int thread), const void* what);

/// body(i, thread) for i in [0, count); thread in [0, thread_count()) names a private scratch slot.
/// Iterations may run at the same time and in any order. Do not nest.
///
/// Each thread begins with its own share, so that it finds in its cache what it left there in the loop
/// before, and then takes iterations from the shares of others.
template <typename Body>
void parallel_for(Index count, Body&& body) {
  const Index loop = next_loop();
  const int threads = thread_count();
  // Compiled once: in two copies the compiler may contract a b + c d in two ways, and then one thread would give
  // other bits than two.
  const auto run = [&](Index i, int thread) __attribute__((noinline)) {
    loop_position() = {loop, i};
    body(i, thread);
  };
  const auto leave = [] { loop_position() = {next_loop(), 0}; };
  if (count <= 1 || threads == 1) {
    for (Index i = 0; i < count; ++i) run(i, 0);
    return leave();
  }
  Share* const shares = deal(count);
  const auto work = [&](int self) {
    for (int other = 0; other < threads; ++other) {
      Share& share = shares[(self + other) % threads];
      for (Index i = share.next++; i < share.end; i = share.next++) run(i, self);
    }
  };
  using Work = decltype(work);
  run_together([](const void* what, int self) { (*static_cast<const Work*>(what))(self); }, &work);
  leave();
}

}  // namespace rlt
