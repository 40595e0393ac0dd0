#include "base/parallel.hpp"

#include <algorithm>
#include <atomic>

namespace rlt {
namespace {

int& configured_threads() {
  static int threads = std::max(1, omp_get_num_procs());
  return threads;
}

}  // namespace

int thread_count() { return configured_threads(); }
void set_thread_count(int threads) { configured_threads() = std::max(1, threads); }

LoopPosition& loop_position() {
  thread_local LoopPosition position;
  return position;
}

Index next_loop() {
  static std::atomic<Index> loops = 0;
  return ++loops;
}

}  // namespace rlt
