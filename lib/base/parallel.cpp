#include "base/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <vector>

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

Share* deal(Index count) {
  static std::vector<Share> shares;
  const int threads = thread_count();
  if (shares.size() != static_cast<std::size_t>(threads)) {
    shares = std::vector<Share>(static_cast<std::size_t>(threads));
  }
  for (int thread = 0; thread < threads; ++thread) {
    Share& share = shares[static_cast<std::size_t>(thread)];
    share.next = count * thread / threads;
    share.end = count * (thread + 1) / threads;
  }
  return shares.data();
}

}  // namespace rlt
