#include "train/stop.hpp"

#include <atomic>
#include <chrono>
#include <utility>

namespace rlt {
namespace {

std::atomic<int> received = 0;  // the first signal
static_assert(std::atomic<int>::is_always_lock_free, "signal handlers may touch nothing else");

double limit_seconds = 0;
StopRequests::Clock limit_clock;

extern "C" void remember(int signal) {
  int none = 0;
  received.compare_exchange_strong(none, signal);
}

// oneDNN's kernels hold numbers below the stack pointer, further down than the 128 bytes that a signal
// spares: handled there, one run in six crashed. So signals have a stack of their own.
char signal_stack[1 << 16];
stack_t stack_before;

const auto program_start = std::chrono::steady_clock::now();

}  // namespace

double uptime() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - program_start).count();
}

StopRequests::StopRequests(double limit, Clock clock) {
  limit_seconds = limit;
  limit_clock = std::move(clock);
  stack_t own{};
  own.ss_sp = signal_stack;
  own.ss_size = sizeof signal_stack;
  sigaltstack(&own, &stack_before);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGXCPU}) {
    struct sigaction before {};
    sigaction(signal, nullptr, &before);
    if (before.sa_handler == SIG_IGN) continue;
    struct sigaction action {};
    action.sa_handler = remember;
    action.sa_flags = SA_RESTART | SA_ONSTACK;
    if (signal == SIGINT) action.sa_flags |= static_cast<int>(SA_RESETHAND);
    sigaction(signal, &action, nullptr);
    replaced_.push_back({signal, before});
  }
}

StopRequests::~StopRequests() {
  for (const Replaced& one : replaced_) sigaction(one.signal, &one.before, nullptr);
  sigaltstack(&stack_before, nullptr);
  received = 0;
  limit_seconds = 0;
}

Exit requested_stop() {
  if (const int signal = received; signal != 0) {
    return signal == SIGINT ? Exit::interrupted : Exit::stopped;
  }
  return limit_seconds > 0 && limit_clock() >= limit_seconds ? Exit::stopped : Exit::done;
}

void check_stop() {
  if (const Exit exit = requested_stop(); exit != Exit::done) throw Stopped{exit};
}

}  // namespace rlt
