#include "base/parallel.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <memory>
#include <system_error>
#include <thread>
#include <vector>

#include "base/cpu.hpp"
#include "base/error.hpp"

namespace rlt {
namespace {

using Clock = std::chrono::steady_clock;

int& configured_threads() {
  static int threads = given_processors();
  return threads;
}

// Threads that wait for work spin a few microseconds, the time between two loops of a step, and then sleep.
template <typename Done>
void spin_until(const Done& done) {
  constexpr int spins = 200;
  for (int i = 0; i < spins && !done(); ++i) pause_processor();
}

/// Threads 1 .. size - 1; thread 0 is the caller's.
class Pool {
 public:
  explicit Pool(int size) {
    for (int thread = 1; thread < size; ++thread) {
      try {
        workers_.emplace_back([this, thread] { wait_for_work(thread); });
      } catch (const std::system_error& error) {
        leave();
        fail(Exit::failed, "--threads {}: only {} could be started: {}", size, thread,
             error.code().message());
      }
    }
  }
  ~Pool() { leave(); }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  int size() const { return static_cast<int>(workers_.size()) + 1; }

  void run(void (*work)(const void*, int), const void* what) {
    const Clock::time_point start = Clock::now();
    if (start < rest_until_) {
      work(what, 0);
      return;
    }
    work_ = work;
    what_ = what;
    door_.store(open, std::memory_order_release);
    call();
    work(what, 0);
    const Clock::time_point done = Clock::now();
    door_.fetch_sub(open, std::memory_order_acq_rel);
    spin_until([&] { return door_.load(std::memory_order_acquire) == 0; });
    for (int inside = door_.load(std::memory_order_acquire); inside != 0;
         inside = door_.load(std::memory_order_acquire)) {
      door_.wait(inside, std::memory_order_acquire);
    }
    judge(done - start, Clock::now() - done);
  }

 private:
  static constexpr int open = 1 << 30;

  void call() {
    calls_.fetch_add(1, std::memory_order_release);
    calls_.notify_all();
  }

  void leave() {
    quits_ = true;
    call();
    for (std::thread& worker : workers_) worker.join();
    workers_.clear();
  }

  void wait_for_work(int thread) {
    prepare_thread();
    sigset_t all;  // signals are the main thread's, which has a stack for them (train/stop.cpp)
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    int seen = 0;
    while (true) {
      spin_until([&] { return calls_.load(std::memory_order_acquire) != seen; });
      calls_.wait(seen, std::memory_order_acquire);
      seen = calls_.load(std::memory_order_acquire);
      if (quits_) return;
      int door = door_.load(std::memory_order_relaxed);
      while ((door & open) != 0 &&
             !door_.compare_exchange_weak(door, door + 1, std::memory_order_acquire)) {
      }
      if ((door & open) == 0) continue;  // too late
      work_(what_, thread);
      if (door_.fetch_sub(1, std::memory_order_acq_rel) == 1) door_.notify_one();
    }
  }

  // Shares are about equal, so that nobody waits longer for the last iteration of another than he worked himself, unless
  // the system took the other's processor away. Then this thread goes on alone for a while, twice as long each time.
  void judge(Clock::duration worked, Clock::duration waited) {
    using std::chrono::milliseconds;
    if (waited > 2 * worked + std::chrono::microseconds(200)) {
      rest_ = std::clamp<Clock::duration>(2 * rest_, milliseconds(10), milliseconds(500));
      rest_until_ = Clock::now() + rest_;
    } else {
      rest_ -= rest_ / 100;
    }
  }

  void (*work_)(const void*, int) = nullptr;
  const void* what_ = nullptr;
  std::atomic<int> calls_ = 0;  // one for each loop
  std::atomic<int> door_ = 0;   // threads that work, and `open` while more may come
  std::atomic<bool> quits_ = false;
  Clock::duration rest_{};
  Clock::time_point rest_until_{};
  std::vector<std::thread> workers_;
};

}  // namespace

int thread_count() { return configured_threads(); }
void set_thread_count(int threads) { configured_threads() = std::max(1, threads); }

void run_together(void (*work)(const void* what, int thread), const void* what) {
  static std::unique_ptr<Pool> pool;
  if (pool == nullptr || pool->size() != thread_count()) {
    pool.reset();
    pool = std::make_unique<Pool>(thread_count());
  }
  pool->run(work, what);
}

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
